"""A timer for the end of a socket's token or session."""

import asyncio
import time

from ..conf import conf
from ..identity.tokens import LEEWAY
from .mailboxes import Mailbox


class Expiry:
    """Puts `token.expiring` into a socket's mailbox in advance, and `token.expired` at the end."""

    def __init__(self, mailbox: Mailbox):
        self.mailbox = mailbox
        self.timer: asyncio.TimerHandle | None = None

    def schedule(self, expires_at: int) -> None:
        """Follow the token that expires at this time, in seconds of the epoch, and no other."""
        self.cancel()
        left = expires_at - time.time()
        # Not in its first half. A realm's tokens may live no longer than the notice, and each would
        # be replaced at once.
        notice = max(0, left / 2, left - conf.EXPIRY_NOTICE_SECONDS)
        # As long as a handshake would still accept the token.
        self._wake(notice, "token.expiring", then=(left + LEEWAY - notice, "token.expired"))

    def cancel(self) -> None:
        if self.timer:
            self.timer.cancel()

    def _wake(self, delay: float, event: str, then: tuple[float, str] | None = None) -> None:
        self.timer = asyncio.get_running_loop().call_later(delay, self._put, event, then)

    def _put(self, event: str, then: tuple[float, str] | None) -> None:
        self.mailbox.put({"type": event})
        if then:
            self._wake(*then)
