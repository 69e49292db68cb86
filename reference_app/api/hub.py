"""One per process: hears every stream that it has sockets for once, and finds what was not heard.

A channel layer is at most once; the rows are not. A gap between two frames is read from the rows by
the feed; a frame at the end, after which nothing comes, is missed by nobody but the check of tails.
"""

import asyncio
import logging
from contextlib import suppress
from weakref import WeakKeyDictionary

from channels.db import database_sync_to_async

from . import streams
from .cursor import Cursor
from .feed import Feed
from .limits import limit
from .listener import Listener
from .lookup import Lookup
from .streams import Appended, Position

logger = logging.getLogger(__name__)

MESSAGE_TYPE = "stream.entry"

position_of, begin = Lookup(streams.positions), Lookup(streams.begin)
positions = database_sync_to_async(streams.positions, thread_sensitive=False)


async def position(stream: str) -> Position:
    """Return where a stream is; one that nothing was sent to begins now."""
    return await position_of(stream) or await begin(stream)


def message_of(stream: str, entry: Appended) -> dict:
    """Return the group message by which every hub hears of a new entry."""
    return {"type": MESSAGE_TYPE, "stream": stream, **entry._asdict()}


class Hub:
    """The feeds of one event loop; it works while there are any."""

    def __init__(self):
        self.feeds: dict[str, Feed] = {}
        self.listener: Listener | None = None
        self.checking: asyncio.Task | None = None
        self.due = asyncio.Event()

    async def enter(self, stream: str, cursor: Cursor) -> Feed:
        """Return the feed of a stream, opened, with a cursor on it that has to `follow` yet.

        Raises one of LAYER_ERRORS, or DatabaseError, where one of the two is out of reach.
        """
        feed = cursor.feed = self.feeds.setdefault(stream, Feed(stream))
        feed.cursors.add(cursor)
        if not self.listener:
            self.listener = Listener(set(), self.hear, self.due.set)
            self.checking = asyncio.create_task(self._check_tails())
        async with feed.turn:
            if not feed.is_open:
                await self.listener.join(stream)
                feed.open(await position(stream))
        return feed

    async def leave(self, cursor: Cursor) -> None:
        """Let go of a cursor; the last one of a stream leaves its group."""
        cursor.stop()
        feed = cursor.feed
        if feed is None or cursor not in feed.cursors:
            return
        feed.cursors.discard(cursor)
        if feed.cursors:
            return
        feed.close()
        del self.feeds[feed.name]
        if self.feeds:
            return await self.listener.leave(feed.name)
        listener, self.listener = self.listener, None
        self.checking.cancel()
        await listener.stop()

    async def hear(self, message) -> None:
        """Take a message from the layer; what it is not made for is no reason to fail."""
        match message:
            case {
                "type": str(kind),
                "stream": str(stream),
                "epoch": str(epoch),
                "offset": int(offset),
                "text": str(text),
            } if kind == MESSAGE_TYPE:
                feed = self.feeds.get(stream)
                if feed and feed.epoch in ("", epoch):
                    await feed.hear(offset, text)
            case _:
                logger.warning("Ignored a group message of a kind not known here")

    async def _check_tails(self) -> None:
        """Compare all feeds with the rows: at intervals, and when the layer was away."""
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(limit("WEBSOCKET_TAIL_CHECK_SECONDS")):
                    await self.due.wait()
            self.due.clear()
            try:
                await self._compare([feed for feed in self.feeds.values() if feed.is_open])
            except Exception as error:  # whatever is wrong with the database: the next check comes
                logger.error("The tails of the streams could not be checked: %r", error)

    async def _compare(self, feeds: list[Feed]) -> None:
        found = await positions([feed.name for feed in feeds])
        behind = {feed.name for feed in feeds if feed.compare(found.get(feed.name))}
        # A Redis that was flushed has forgotten who was in a group.
        await self.listener.join_again(behind)


hubs: WeakKeyDictionary[asyncio.AbstractEventLoop, Hub] = WeakKeyDictionary()


def hub() -> Hub:
    """Return the hub of the running event loop: of the process, but in tests."""
    return hubs.setdefault(asyncio.get_running_loop(), Hub())
