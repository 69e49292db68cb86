"""One per process: every open socket, and the end of those whose authority has ended.

It hears the word that `authority.announce` gives, and looks everybody up again at intervals, should
a word get lost. Either way it asks the database once for all, not for each socket.
"""

import asyncio
import logging
from contextlib import suppress
from typing import Protocol
from weakref import WeakKeyDictionary

from channels.db import database_sync_to_async

from .authority import Authority, refusals
from .close_codes import CloseCode, Refusal
from .cursor import Reader
from .groups import AUTHORITY_GROUP
from .limits import limit
from .listener import Listener

logger = logging.getLogger(__name__)

# Seconds between two tries to reach a database that is out of reach.
RETRY = 1

# Sockets that are looked up at a time, so that the event loop is not kept.
AT_ONCE = 200

# A thread of its own: one slow query elsewhere must not put off the end of anybody's authority.
look_up = database_sync_to_async(refusals, thread_sensitive=False)


class Watched(Reader, Protocol):
    """A socket, as far as the watch knows it."""

    authority: Authority


class Watch:
    """The open sockets of one event loop; it works while there are any."""

    def __init__(self):
        self.sockets: dict[str, set[Watched]] = {}
        self.doubted: set[Watched] = set()
        self.doubt = asyncio.Event()
        # The process's ear, a channel apart: no burst of events can push out a word of authority.
        self.listener: Listener | None = None
        self.looking_up: asyncio.Task | None = None

    async def enter(self, socket: Watched) -> Refusal | None:
        """Watch a socket from now on, unless its user has as many as allowed.

        What happens to its authority after this is heard; so look it up after this, not before.
        """
        mine = self.sockets.setdefault(socket.authority.subject, set())
        if sum(not other.is_closing for other in mine) >= limit("WEBSOCKET_SOCKETS_PER_USER"):
            return Refusal(CloseCode.TOO_MANY_CONNECTIONS, "You have too many connections open.")
        mine.add(socket)
        if not self.listener:
            self.listener = Listener({AUTHORITY_GROUP}, self._hear, self._doubt_all)
            self.looking_up = asyncio.create_task(self._look_up())
        await self.listener.tried.wait()

    async def leave(self, socket: Watched) -> None:
        """Watch a socket no longer; the last one to leave ends the work."""
        mine = self.sockets.get(socket.authority.subject, set())
        mine.discard(socket)
        self.doubted.discard(socket)
        if not mine:
            self.sockets.pop(socket.authority.subject, None)
        if not self.sockets and self.listener:
            listener, self.listener = self.listener, None
            self.looking_up.cancel()
            await listener.stop()

    def everybody(self) -> set[Watched]:
        return {socket for mine in self.sockets.values() for socket in mine}

    async def _hear(self, message) -> None:
        self._suspect(change_in(message))

    def _doubt_all(self) -> None:
        """Doubt everybody where a word may have been missed."""
        self._suspect({})

    def _suspect(self, change: dict[str, str]) -> None:
        self.doubted |= {s for s in self.everybody() if s.authority.is_touched_by(change)}
        if self.doubted:
            self.doubt.set()

    async def _look_up(self) -> None:
        """Look up whoever is in doubt at once, and everybody when it is time."""
        now = asyncio.get_running_loop().time
        due = now() + limit("WEBSOCKET_RECHECK_SECONDS")
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout_at(due):
                    await self.doubt.wait()
            if now() >= due:
                due = now() + limit("WEBSOCKET_RECHECK_SECONDS")
                self.doubted = self.everybody()
                await self.listener.join_again({AUTHORITY_GROUP})
            some = {self.doubted.pop() for _ in range(min(AT_ONCE, len(self.doubted)))}
            try:
                end_all(some, await look_up({socket.authority for socket in some}))
            except Exception as error:  # whatever is wrong with the database, it is asked again
                logger.error("Nobody's authority could be looked up: %r", error)
                await asyncio.sleep(RETRY)
                self.doubted |= some & self.everybody()
            if not self.doubted:
                self.doubt.clear()


def change_in(message) -> dict[str, str]:
    """Return the change that a group message tells of; what says nothing may concern everybody."""
    change = message.get("change") if isinstance(message, dict) else None
    return change if isinstance(change, dict) and all(isinstance(c, str) for c in change) else {}


def end_all(doubted: set[Watched], ended: dict[Authority, Refusal]) -> None:
    """End the sockets whose authority has ended; a refreshed one has another by now."""
    for socket in doubted:
        if refusal := ended.get(socket.authority):
            socket.end(refusal)


watches: WeakKeyDictionary[asyncio.AbstractEventLoop, Watch] = WeakKeyDictionary()


def watch() -> Watch:
    """Return the watch of the running event loop: of the process, but in tests."""
    return watches.setdefault(asyncio.get_running_loop(), Watch())
