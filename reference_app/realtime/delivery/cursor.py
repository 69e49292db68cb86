"""One socket's place in a stream."""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Generator
from functools import partial
from typing import TYPE_CHECKING, Protocol

from ..conf import conf
from ..protocol import frames
from ..protocol.close_codes import CloseCode, Refusal
from ..signals import entry_delivered, socket_fell_behind
from . import resumed_bytes
from .pages import held
from .streams import Appended, HistoryGoneError, Place
from .writer import Event, Writer

if TYPE_CHECKING:
    from .feed import Feed

logger = logging.getLogger(__name__)

TOO_SLOW = Refusal(CloseCode.TOO_SLOW, "This connection is too slow for the messages sent to it.")
HISTORY_GONE = Refusal(CloseCode.UNAVAILABLE, "Messages that you have not seen have been deleted.")
CANNOT_SEND = Refusal(CloseCode.INTERNAL_ERROR, "A message could not be sent to you.")

# Frames that are held for a socket that is still being sent another one. All its neighbors hold the
# same ones; those that come after are read from the rows.
MOST_WAITING = 16


class Reader(Protocol):
    """A socket, as far as its cursor knows it."""

    is_closing: bool

    @property
    def user_id(self) -> str:
        """The user who is sent the frames."""

    def end(self, refusal: Refusal) -> None:
        """Deliver nothing from now on, say why, and close."""

    def tell(self, user: str, frame: frames.Frame) -> None:
        """Send a frame that is no entry, if the socket is this user's."""


class Cursor:
    """The last place that a socket was sent, and how it gets to the next.

    A cursor is following, catching up, or closing. A socket whose client reads is sent each frame
    at once. One whose client does not is behind: a few frames are held for it, the others are read
    from the rows when the client reads again. Rows that were read are not held for it either. A
    socket that cannot be sent to is closed.
    """

    # Set when the hub has opened the stream.
    feed: "Feed"

    def __init__(self, reader: Reader, writer: Writer):
        self.reader, self.writer = reader, writer
        self.place = Place(0, "")
        self.follows = False
        # The last offset that was there before the socket, up to which it is sent history.
        self.history_end = 0
        # The task that catches up, the frames held for it, and how many arrived since it began.
        self.task: asyncio.Task[None] | None = None
        self.waiting: deque[tuple[Place, Event]] = deque()
        self.missed = 0

    def follow(self, place: Place) -> None:
        """Send everything after this place, first from the rows, then live."""
        if self.reader.is_closing:
            return
        self.place, self.follows = place, True
        self.history_end = self.feed.head
        if place.offset < self.feed.head:
            self._fall_behind()

    def stop(self) -> None:
        """Send nothing from now on."""
        self.follows = False
        if self.task:
            self.task.cancel()

    def deliver(self, place: Place, event: Event) -> bool:
        """Send a frame now if it is the next, and return whether that is done.

        `event` is the ASGI message that carries it.
        """
        if not self.follows or place.offset <= self.place.offset:
            return False
        if self.task:
            self._miss(place, event)
        elif place.offset > self.place.offset + 1:
            self._fall_behind()
        else:
            self.place = place
            if not (rest := self._begin(event)):
                return True
            self._fall_behind(rest, event)
        return False

    def _miss(self, place: Place, event: Event) -> None:
        """Count a frame that arrives while the socket is behind.

        Too many close the socket.
        """
        self.missed += 1
        if self.missed > conf.MAX_BEHIND:
            return self.reader.end(TOO_SLOW)
        if self.missed == MOST_WAITING + 1:
            socket_fell_behind.send_robust(Cursor)
        last = self.waiting[-1][0] if self.waiting else self.place
        if place.offset == last.offset + 1 and len(self.waiting) < MOST_WAITING:
            self.waiting.append((place, event))

    def _fall_behind(
        self, rest: Awaitable[object] | None = None, event: Event | None = None
    ) -> None:
        self.missed = 0
        self.task = asyncio.create_task(self._catch_up(rest, event))

    async def _catch_up(self, rest: Awaitable[object] | None, event: Event | None) -> None:
        """Finish the frame in sending, then send what waits, then rows, until nothing is left."""
        try:
            if rest and event:
                await self._finish(self.place, event, rest)
            rest = event = None  # not held any longer
            while self.follows and self.place.offset < self.feed.head:
                await self.writer.ready()  # until then, rows wait in the database
                await self._send_next()
        except HistoryGoneError:
            self.reader.end(HISTORY_GONE)
        except Exception as error:
            self._give_up(error)
        self.task = None

    async def _send_next(self) -> None:
        """Send the next frame that waits, or else a page of rows, as far as it is held."""
        if self.waiting and self.waiting[0][0].offset == self.place.offset + 1:
            return await self._send(*self.waiting.popleft())
        self.waiting.clear()
        async with held(partial(self.feed.read_after, self.place)) as page:
            while page and self.follows:
                entry = page.popleft()
                if refusal := self._refusal(entry):
                    return self.reader.end(refusal)
                event = {"type": "websocket.send", "text": entry.text}
                await self._send(Place(entry.offset, entry.tag), event)

    def _refusal(self, entry: Appended) -> Refusal | None:
        """Return why the user is sent no more history now, or None."""
        if entry.offset > self.history_end:
            return None
        return resumed_bytes.refusal_of(self.reader.user_id, entry.text)

    async def _send(self, place: Place, event: Event) -> None:
        if rest := self._begin(event):
            await self._finish(place, event, rest)
        else:
            report_sent(event)
        self.place = place

    def _begin(self, event: Event) -> Awaitable[object] | None:
        """Begin to send a frame, and return what is left to await, which may raise."""
        try:
            return self.writer.send_nowait(event)
        except Exception as error:
            return Failed(error)

    async def _finish(self, place: Place, event: Event, rest: Awaitable[object]) -> None:
        """Finish a frame, or tell the client that it is omitted where the server cannot send it."""
        try:
            await rest
        except Exception as error:
            event = await self._omit(place, event, error)
        report_sent(event)

    async def _omit(self, place: Place, event: Event, error: Exception) -> Event:
        """Tell the client that an entry is omitted, so that it does not ask for it again.

        Returns what was sent in its place.
        """
        if has_left(error):
            raise error
        logger.error("Entry %s of %s could not be sent: %r", place.offset, self.feed.name, error)
        text = frames.omitted(*place, size=len(event["text"].encode()))
        instead = {"type": "websocket.send", "text": text}
        await self.writer.send(instead)
        return instead

    def _give_up(self, error: Exception) -> None:
        """Close the socket, unless the client has left, which the server will report."""
        if has_left(error):
            self.follows = False
            logger.debug("A client has left before it was sent everything: %r", error)
            return
        logger.error(
            "A socket on %s is closed, because it cannot be sent what follows offset %s: %r",
            *(self.feed.name, self.place.offset, error),
        )
        self.reader.end(CANNOT_SEND)


def report_sent(event: Event) -> None:
    """Report an entry that was not sent at once with those of the neighbors."""
    entry_delivered.send_robust(Cursor, text=event["text"], sockets=1, written_at=0)


class Failed:
    """A call that has raised already."""

    def __init__(self, error: Exception):
        self.error = error

    def __await__(self) -> Generator[None, None, None]:
        raise self.error
        yield


def has_left(error: Exception) -> bool:
    """Whether a `send` that raised this says that the client has left.

    The ASGI specification names OSError; Daphne's `send` returns instead.
    """
    return isinstance(error, OSError)
