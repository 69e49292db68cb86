"""The end of a token, foreseen: one timer a socket."""

import asyncio
import time

from .inbox import Inbox
from .limits import limit
from .tokens import LEEWAY


class Expiry:
    """Puts `token.expiring` into a socket's inbox ahead of time, and `token.expired` at the end."""

    def __init__(self, inbox: Inbox):
        self.inbox = inbox
        self.timer: asyncio.TimerHandle | None = None

    def foresee(self, expires_at: int) -> None:
        """Follow a token that expires at this time, and no other; `exp` in seconds of the epoch."""
        self.forget()
        left = expires_at - time.time()
        # Not in its first half: a realm's tokens may live no longer than the notice, and each would
        # be followed by another at once.
        notice = max(0, left / 2, left - limit("WEBSOCKET_EXPIRY_NOTICE_SECONDS"))
        # As long as a handshake would still take the token.
        self._wake(notice, "token.expiring", then=(left + LEEWAY - notice, "token.expired"))

    def forget(self) -> None:
        if self.timer:
            self.timer.cancel()

    def _wake(self, delay: float, event: str, then: tuple[float, str] | None = None) -> None:
        self.timer = asyncio.get_running_loop().call_later(delay, self._put, event, then)

    def _put(self, event: str, then: tuple[float, str] | None) -> None:
        self.inbox.put({"type": event})
        if then:
            self._wake(*then)
