"""One stream, as a process receives it, and the sockets of the process that follow it."""

import asyncio
import itertools
import logging
from functools import partial

from ..concurrency.event_loop import create_shared_task, per_event_loop
from ..concurrency.threads import socket_threads
from ..protocol.close_codes import Refusal
from ..protocol.frames import Frame
from ..signals import entry_delivered, gap_found
from . import streams
from .cursor import HISTORY_GONE, Cursor
from .streams import Appended, HistoryGoneError, Place, Position

logger = logging.getLogger(__name__)

# Seconds to wait for a missing offset before reading it from the rows. Two senders that commit at
# the same time may publish in the other order.
REORDER_WINDOW = 0.1

# Seconds between two tries to read from a database that does not answer.
RETRY = 1

# Pages that are read at the same time. Queries of other tasks find a connection free.
READS_AT_ONCE = 8

# Frames that are held while an earlier one is missing. All are rows, so the others can be dropped.
REORDER_BUFFER = 100

# Frames that are sent to sockets before other tasks may run. A thousand would delay pings, and to
# yield after each one costs as much as sending it.
SENDS_BEFORE_YIELD = 100

read_after = partial(socket_threads.run, streams.read_after)


@per_event_loop
def reading() -> asyncio.Semaphore:
    """Return the slots for reading pages in the running event loop."""
    return asyncio.Semaphore(READS_AT_ONCE)


class Feed:
    """How far a process has received a stream, and the cursors of its sockets.

    The head moves offset by offset, and each step goes to all cursors. A frame that is early waits
    for a moment; one that does not arrive is read from the rows, once for all sockets.
    """

    sends = itertools.count(1)

    def __init__(self, name: str):
        self.name = name
        self.stream_id, self.head, self.tag = 0, 0, ""
        self.is_open = False
        self.cursors: set[Cursor] = set()
        self.early: dict[int, Appended] = {}
        # The last offset that is known to exist.
        self.known = 0
        self.filling: asyncio.Task[None] | None = None
        self.pages: dict[int, asyncio.Task[list[Appended]]] = {}
        # One task at a time opens the feed or moves its head.
        self.lock = asyncio.Lock()

    @property
    def place(self) -> Place:
        return Place(self.head, self.tag)

    def open(self, position: Position) -> None:
        """Begin where the stream is, which was read after its group was joined."""
        self.stream_id, self.head, self.tag = position
        self.early = {o: entry for o, entry in self.early.items() if o > self.head}
        self.known = max(self.early, default=self.head)
        self.is_open = True
        self._fill_if_behind()

    def close(self) -> None:
        self.is_open = False
        for task in (self.filling, *self.pages.values()):
            if task:
                task.cancel()

    async def accept(self, entry: Appended) -> None:
        """Accept a frame from the layer, which is in order, early, or a duplicate."""
        if self.is_open and entry.offset <= self.head:
            return
        if len(self.early) < REORDER_BUFFER:
            self.early[entry.offset] = entry
        self.known = max(self.known, entry.offset)
        if self.is_open:
            await self._advance()
        self._fill_if_behind()

    def compare(self, position: Position | None, before: Place) -> bool:
        """Compare with where the stream is, and return whether a frame was lost.

        `before` is where the feed was when the database was asked. All sockets are closed where the
        stream has not been there: it has begun anew, or gone back to an earlier state.
        """
        if position and position.stream_id == self.stream_id:
            if position.head > before.offset or position.place == before:
                self.known = max(self.known, position.head)
                self._fill_if_behind(found_by="tail")
                return position.head > self.head
        self.end_all(HISTORY_GONE)
        return True

    def end_all(self, refusal: Refusal) -> None:
        """Close all sockets, so that the next one on the stream has the feed opened again."""
        self.is_open = False
        self.early.clear()
        for cursor in self.cursors:
            cursor.reader.end(refusal)

    def tell(self, user: str, frame: Frame) -> None:
        """Send the sockets of one user a frame that is no entry."""
        for cursor in self.cursors:
            cursor.reader.tell(user, frame)

    async def read_after(self, place: Place) -> list[Appended]:
        """Read a page of what follows, by one query for all sockets that need the same page.

        Raises HistoryGoneError where what follows was pruned, or follows another entry.
        """
        offset, tag = place
        if offset not in self.pages:
            self.pages[offset] = create_shared_task(self._read(offset))
        page = await asyncio.shield(self.pages[offset])
        if not page or (page[0].offset, page[0].previous) != (offset + 1, tag):
            raise HistoryGoneError
        return page

    async def _read(self, offset: int) -> list[Appended]:
        try:
            while True:
                try:
                    async with reading():
                        return await read_after(self.name, self.stream_id, offset)
                except Exception as error:  # any fault of the database: ask again
                    logger.error("Stream could not be read, and is tried again: %r", error)
                    await asyncio.sleep(RETRY)
        finally:
            del self.pages[offset]

    async def _advance(self) -> None:
        """Move the head over the frames that are there, and send each to all cursors."""
        async with self.lock:
            while (entry := self.early.pop(self.head + 1, None)) is not None:
                if entry.previous != self.tag:
                    return self.end_all(HISTORY_GONE)
                self.head, self.tag = place = Place(entry.offset, entry.tag)
                event = {"type": "websocket.send", "text": entry.text}
                sockets = 0
                for cursor in [*self.cursors]:
                    sockets += cursor.deliver(place, event)
                    if next(self.sends) % SENDS_BEFORE_YIELD == 0:
                        await asyncio.sleep(0)
                sent = {"text": entry.text, "sockets": sockets, "written_at": entry.written_at}
                entry_delivered.send_robust(Feed, **sent)

    def _fill_if_behind(self, found_by: str = "gap") -> None:
        if self.is_open and self.known > self.head and not self.filling:
            self.filling = create_shared_task(self._fill(found_by))

    async def _fill(self, found_by: str) -> None:
        """Read the missing frames from the rows, unless they arrive within the window."""
        await asyncio.sleep(REORDER_WINDOW)
        if self.known > self.head:
            gap_found.send_robust(Feed, found_by=found_by)
        try:
            while self.known > self.head:
                page = await self.read_after(self.place)
                self.early |= {entry.offset: entry for entry in page if entry.offset > self.head}
                await self._advance()
        except HistoryGoneError:
            self.end_all(HISTORY_GONE)
        self.filling = None
