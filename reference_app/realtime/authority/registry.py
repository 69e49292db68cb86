"""The open sockets of a process, and the end of those that lose access.

Each process hears announcements of changes (`announce`), and checks all sockets again at intervals,
because an announcement may get lost. Either way the database is asked once for many sockets.
"""

import asyncio
import logging
import time
from contextlib import suppress
from functools import partial
from typing import Protocol

from ..concurrency.event_loop import create_shared_task, per_event_loop
from ..concurrency.threads import socket_threads
from ..conf import conf
from ..identity.tokens import LEEWAY
from ..layer.subscribe import GroupSubscriber
from ..protocol.close_codes import CloseCode, Refusal
from ..protocol.groups import ACCESS_GROUP
from .access import Access, Answer, check_access, report_end

logger = logging.getLogger(__name__)

# Seconds between two tries to reach a database that does not answer.
RETRY = 1

# Sockets that are checked at a time. Two hundred block the event loop for 37 ms, a hundred for 24.
AT_ONCE = 100

check = partial(socket_threads.run, check_access)


class Socket(Protocol):
    """A socket, as far as the registry knows it."""

    access: Access
    is_closing: bool

    def end(self, refusal: Refusal) -> None:
        """Deliver nothing from now on, say why, and close."""

    def expire_at(self, expires_at: int) -> None:
        """Follow another expiry of the same session."""


class SocketRegistry:
    """The open sockets of one event loop, checked again while there are any."""

    def __init__(self) -> None:
        # By their users, who may come with a token and with a session.
        self.sockets: dict[str | None, set[Socket]] = {}
        self.to_recheck: set[Socket] = set()
        self.recheck_now = asyncio.Event()
        # A channel of its own, so that no burst of events can push out an announcement.
        self.subscriber: GroupSubscriber | None = None
        self.checking: asyncio.Task | None = None
        # Counts announcements, and gaps in which some may have been missed.
        self.changes = 0

    async def enter(self, socket: Socket) -> Refusal | None:
        """Register a socket, unless its user has as many as allowed.

        Changes after this are noticed. So check its access after this, not before.
        """
        mine = self.sockets.setdefault(socket.access.user, set())
        if sum(not other.is_closing for other in mine) >= conf.SOCKETS_PER_USER:
            return Refusal(CloseCode.TOO_MANY_CONNECTIONS, "You have too many connections open.")
        mine.add(socket)
        if not self.subscriber:
            self.subscriber = GroupSubscriber({ACCESS_GROUP}, self._on_message, self._recheck_all)
            self.checking = create_shared_task(self._check(self.subscriber))
        await self.subscriber.first_attempt.wait()
        return None

    async def leave(self, socket: Socket) -> None:
        """Forget a socket.

        The last one to leave ends the work.
        """
        mine = self.sockets.get(socket.access.user, set())
        mine.discard(socket)
        self.to_recheck.discard(socket)
        if not mine:
            self.sockets.pop(socket.access.user, None)
        if not self.sockets and self.subscriber and self.checking:
            subscriber, self.subscriber = self.subscriber, None
            self.checking.cancel()
            await subscriber.stop()

    def everyone(self) -> set[Socket]:
        return {socket for mine in self.sockets.values() for socket in mine}

    def mark(self) -> tuple[object, int] | None:
        """Return what has been announced up to now, or None while announcements may be missed.

        While the mark is the same, what was looked up after the first one still holds.
        """
        if not self.subscriber or self.subscriber.channel is None:
            return None
        return self.subscriber, self.changes

    def recheck(self, socket: Socket) -> None:
        """Check one socket again, as soon as the database answers."""
        self.to_recheck.add(socket)
        self.recheck_now.set()

    async def _on_message(self, message) -> None:
        self._recheck(change_in(message))

    def _recheck_all(self) -> None:
        """Check every socket again after a gap in the announcements."""
        self._recheck({})

    def _recheck(self, change: dict[str, str]) -> None:
        self.changes += 1
        self.to_recheck |= {s for s in self.everyone() if s.access.matches(change)}
        if self.to_recheck:
            self.recheck_now.set()

    async def _check(self, subscriber: GroupSubscriber) -> None:
        """Check at once the sockets that a change concerns, and all sockets at intervals."""
        now = asyncio.get_running_loop().time
        due = now() + conf.RECHECK_SECONDS
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout_at(due):
                    await self.recheck_now.wait()
            if now() >= due:
                due = now() + conf.RECHECK_SECONDS
                self.to_recheck = self.everyone()
                end_expired(self.to_recheck)
                await subscriber.join_again({ACCESS_GROUP})
            some = {self.to_recheck.pop() for _ in range(min(AT_ONCE, len(self.to_recheck)))}
            try:
                follow(some, await check({socket.access for socket in some}))
            except Exception as error:  # any fault of the database: it is asked again
                logger.error("Access check failed, and is tried again: %r", error)
                await asyncio.sleep(RETRY)
                self.to_recheck |= some & self.everyone()
            if not self.to_recheck:
                self.recheck_now.clear()


def change_in(message) -> dict[str, str]:
    """Return the change that a group message tells of.

    One that cannot be read concerns all.
    """
    change = message.get("change") if isinstance(message, dict) else None
    return change if isinstance(change, dict) and all(isinstance(c, str) for c in change) else {}


def end_expired(sockets: set[Socket]) -> None:
    """End the sockets of expired tokens and sessions.

    Each has a timer for that. But a timer does not notice that the clock was put forward, or that
    the machine was suspended.
    """
    now = time.time()
    for socket in sockets:
        if now >= socket.access.expires_at + LEEWAY:
            end(socket, socket.access.expired)


def follow(sockets: set[Socket], answers: dict[Access, Answer]) -> None:
    """End the sockets of refused accesses, except where a new token has given another one.

    The others of sessions follow an expiry that has changed.
    """
    for socket in sockets:
        if not (answer := answers.get(socket.access)):
            continue
        if answer.refusal:
            end(socket, answer.refusal)
        elif answer.expires_at not in (None, socket.access.expires_at):
            socket.expire_at(answer.expires_at)


def end(socket: Socket, refusal: Refusal) -> None:
    if not socket.is_closing:
        report_end(refusal)
        socket.end(refusal)


@per_event_loop
def registry() -> SocketRegistry:
    """Return the registry of the running event loop."""
    return SocketRegistry()
