"""One socket's place in a stream."""

import asyncio
import logging
from typing import Protocol

from .close_codes import CloseCode, Refusal
from .limits import limit
from .outlet import Outlet, Rest
from .streams import HistoryGoneError

logger = logging.getLogger(__name__)

TOO_SLOW = Refusal(CloseCode.TOO_SLOW, "You do not read as fast as you are sent to.")
HISTORY_GONE = Refusal(CloseCode.UNAVAILABLE, "Events that you have not seen are kept no longer.")


class Reader(Protocol):
    """A socket, as far as its cursor knows it."""

    is_closing: bool

    def end(self, refusal: Refusal) -> None:
        """Deliver nothing from now on, say why, and close."""


class Cursor:
    """The last offset that a socket was sent, and how it gets the next.

    A socket that takes what comes is sent each frame at once. One that does not falls behind: its
    frames are rows, nothing more is held for it, and when it reads again, it catches up from them.
    """

    def __init__(self, reader: Reader, outlet: Outlet):
        self.reader, self.outlet = reader, outlet
        self.feed = None
        self.offset = 0
        self.follows = False
        # What the socket is busy with; meanwhile it is behind, and so many frames have come.
        self.task: asyncio.Task | None = None
        self.missed = 0

    def follow(self, offset: int) -> None:
        """Send everything after this offset, from the rows and then as it comes."""
        if self.reader.is_closing:
            return
        self.offset, self.follows = offset, True
        if offset < self.feed.head:
            self._fall_behind()

    def stop(self) -> None:
        """Send nothing from now on."""
        self.follows = False
        if self.task:
            self.task.cancel()

    def push(self, offset: int, event: dict) -> None:
        """Send a frame now if it is the next; `event` is the ASGI message that carries it."""
        if not self.follows or offset <= self.offset:
            return
        if self.task:
            return self._miss()
        if offset > self.offset + 1:
            return self._fall_behind()
        self.offset = offset
        try:
            rest = self.outlet.push(event)
        except Exception as error:
            return self._give_up(error)
        if rest:
            self._fall_behind(rest)

    def _miss(self) -> None:
        """Count what comes while the socket is behind; too much ends it, and it may resume."""
        self.missed += 1
        if self.missed > limit("WEBSOCKET_MAX_BEHIND"):
            self.reader.end(TOO_SLOW)

    def _fall_behind(self, rest: Rest | None = None) -> None:
        self.missed = 0
        self.task = asyncio.create_task(self._catch_up(rest))

    async def _catch_up(self, rest: Rest | None) -> None:
        """Send what has begun, then row by row, until the socket is where its feed is."""
        try:
            if rest:
                await rest()
            while self.offset < self.feed.head:
                await self.outlet.ready()  # rows wait in the database, not here
                for offset, text in await self.feed.read_after(self.offset):
                    await self.outlet.put({"type": "websocket.send", "text": text})
                    self.offset = offset
        except HistoryGoneError:
            self.reader.end(HISTORY_GONE)
        except Exception as error:
            self._give_up(error)
        self.task = None

    def _give_up(self, error: Exception) -> None:
        """Leave a client that is gone to the server, which will say so."""
        self.follows = False
        logger.debug("A frame could not be sent: %r", error)
