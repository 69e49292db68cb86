"""One stream, as a process hears it, and the sockets of the process that follow it."""

import asyncio
import itertools
import logging

from channels.db import database_sync_to_async

from . import streams
from .close_codes import Refusal
from .cursor import HISTORY_GONE, Cursor
from .streams import Appended, HistoryGoneError, Place, Position

logger = logging.getLogger(__name__)

# Seconds that a frame may come after one which was sent later: two senders race after commit.
PATIENCE = 0.1

# Seconds between two tries to read from a database that is out of reach.
RETRY = 1

# Frames that wait for one which has not come. All are rows, too, so the rest can be forgotten.
MOST_EARLY = 100

# Frames to sockets between which nothing else runs: a thousand in a row would keep pings waiting,
# and to let others run after each one costs as much as sending it.
IN_A_ROW = 100

# Not in the thread that all queries of the process share: a slow one must delay no delivery.
read_after = database_sync_to_async(streams.read_after, thread_sensitive=False)


class Feed:
    """How far a process has heard a stream, and the cursors of its sockets.

    The head moves offset by offset, and each step goes to all cursors. What comes too early waits
    for a moment; what does not come is read from the rows, once for all.
    """

    pushes = itertools.count(1)

    def __init__(self, name: str):
        self.name = name
        self.stream_id, self.head, self.tag = None, 0, ""
        self.is_open = False
        self.cursors: set[Cursor] = set()
        self.early: dict[int, Appended] = {}
        # The last offset that is known to exist.
        self.known = 0
        self.mending: asyncio.Task | None = None
        self.pages: dict[int, asyncio.Task] = {}
        # Whoever opens the feed or moves its head does so alone.
        self.turn = asyncio.Lock()

    @property
    def place(self) -> Place:
        return Place(self.head, self.tag)

    def open(self, position: Position) -> None:
        """Begin where the stream is; read after its group was joined, so nothing falls between."""
        self.stream_id, self.head, self.tag = position
        self.early = {o: entry for o, entry in self.early.items() if o > self.head}
        self.known = max(self.early, default=self.head)
        self.is_open = True
        self._mend_if_behind()

    def close(self) -> None:
        self.is_open = False
        for task in (self.mending, *self.pages.values()):
            if task:
                task.cancel()

    async def hear(self, entry: Appended) -> None:
        """Take a frame from the layer: in its turn, too early, or once more."""
        if self.is_open and entry.offset <= self.head:
            return
        if len(self.early) < MOST_EARLY:
            self.early[entry.offset] = entry
        self.known = max(self.known, entry.offset)
        if self.is_open:
            await self._advance()
        self._mend_if_behind()

    def compare(self, position: Position | None, before: Place) -> bool:
        """Compare with where the stream is, and return whether something was not heard.

        `before` is where the feed was when the database was asked. All sockets are closed where the
        stream has not been there: it has begun anew, or gone back to an earlier state.
        """
        if position and position.stream_id == self.stream_id:
            if position.head > before.offset or position.place == before:
                self.known = max(self.known, position.head)
                self._mend_if_behind()
                return position.head > self.head
        self.end_all(HISTORY_GONE)
        return True

    def end_all(self, refusal: Refusal) -> None:
        """Close all sockets.

        The next socket on the stream has the feed opened again.
        """
        self.is_open = False
        self.early.clear()
        for cursor in self.cursors:
            cursor.reader.end(refusal)

    async def read_after(self, place: Place) -> list[Appended]:
        """Read a page of what follows, by one query for all who ask for the same at once.

        Raises HistoryGoneError where what follows was pruned, or follows another entry.
        """
        offset, tag = place
        if offset not in self.pages:
            self.pages[offset] = asyncio.create_task(self._read(offset))
        page = await asyncio.shield(self.pages[offset])
        if not page or (page[0].offset, page[0].previous) != (offset + 1, tag):
            raise HistoryGoneError
        return page

    async def _read(self, offset: int) -> list[Appended]:
        try:
            while True:
                try:
                    return await read_after(self.name, self.stream_id, offset)
                except Exception as error:  # whatever is wrong with the database: ask again
                    logger.error("A stream could not be read: %r", error)
                    await asyncio.sleep(RETRY)
        finally:
            del self.pages[offset]

    async def _advance(self) -> None:
        """Move the head over all that is there, and take the cursors along."""
        async with self.turn:
            while (entry := self.early.pop(self.head + 1, None)) is not None:
                if entry.previous != self.tag:
                    return self.end_all(HISTORY_GONE)
                self.head, self.tag = place = Place(entry.offset, entry.tag)
                event = {"type": "websocket.send", "text": entry.text}
                for cursor in [*self.cursors]:
                    cursor.push(place, event)
                    if next(self.pushes) % IN_A_ROW == 0:
                        await asyncio.sleep(0)

    def _mend_if_behind(self) -> None:
        if self.is_open and self.known > self.head and not self.mending:
            self.mending = asyncio.create_task(self._mend())

    async def _mend(self) -> None:
        """Read what has not come, unless it comes in a moment."""
        await asyncio.sleep(PATIENCE)
        try:
            while self.known > self.head:
                page = await self.read_after(self.place)
                self.early |= {entry.offset: entry for entry in page if entry.offset > self.head}
                await self._advance()
        except HistoryGoneError:
            self.end_all(HISTORY_GONE)
        self.mending = None
