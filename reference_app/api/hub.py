"""One per process: hears every stream that it has sockets for once, and finds what was not heard.

A channel layer is at most once; the rows are not. A gap between two frames is read from the rows by
the feed; a frame at the end, after which nothing comes, is missed by nobody but the check of tails.
"""

import asyncio
import logging
from collections.abc import Iterable
from contextlib import suppress
from weakref import WeakKeyDictionary

from channels.db import database_sync_to_async

from . import frames, outbox, streams
from .cursor import Cursor
from .feed import Feed
from .limits import limit
from .listener import Listener
from .lookup import Lookup
from .publish import MESSAGE_TYPE, publish
from .streams import Appended, Position

logger = logging.getLogger(__name__)

# Streams that are compared with the rows at a time. Ten thousand at once kept the event loop for
# 14 to 336 ms.
AT_ONCE = 200

positions = database_sync_to_async(streams.positions, thread_sensitive=False)


def complete(names: Iterable[str] | None = None) -> None:
    """Finish what senders left undone when they died, in these streams or in any."""
    publish(outbox.flush_abandoned(names))


def completed_positions(names: Iterable[str]) -> dict[str, Position]:
    complete(names)
    return streams.positions(names)


complete_all = database_sync_to_async(complete, thread_sensitive=False)
position_of, begin = Lookup(completed_positions), Lookup(streams.begin)


async def position(stream: str) -> Position:
    """Return where a stream is; one that nothing was sent to begins now."""
    return await position_of(stream) or await begin(stream)


class Hub:
    """The feeds of one event loop; it works while there are any."""

    def __init__(self):
        self.feeds: dict[str, Feed] = {}
        self.listener: Listener | None = None
        self.checking: asyncio.Task | None = None
        self.due = asyncio.Event()
        # Feeds that a frame came for which may not be of their history.
        self.doubted: set[Feed] = set()
        self.missed = False

    async def enter(self, stream: str, cursor: Cursor) -> Feed:
        """Return the feed of a stream, opened, with a cursor on it that has to `follow` yet.

        Raises one of LAYER_ERRORS, or DatabaseError, where one of the two is out of reach.
        """
        feed = cursor.feed = self.feeds.setdefault(stream, Feed(stream))
        feed.cursors.add(cursor)
        if not self.listener:
            self.listener = Listener(set(), self.hear, self._miss)
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
                "offset": int(offset),
                "tag": str(tag),
                "previous": str(previous),
                "text": str(text),
            } if kind == MESSAGE_TYPE:
                if feed := self.feeds.get(stream):
                    text = frames.fitting(text, offset, tag)
                    await self._pass_on(feed, Appended(stream, offset, tag, previous, text))
            case _:
                logger.warning("Ignored a group message of a kind not known here")

    async def _pass_on(self, feed: Feed, entry: Appended) -> None:
        if feed.is_open and entry.offset <= feed.head:
            # It comes twice, or the database went back to an earlier state: the rows know.
            self.doubted.add(feed)
            self.due.set()
        else:
            await feed.hear(entry)

    def _miss(self) -> None:
        """Have all feeds compared at once, because messages may have been missed."""
        self.missed = True
        self.due.set()

    async def _check_tails(self) -> None:
        """Compare feeds with the rows, all of them at intervals and those in doubt at once."""
        now = asyncio.get_running_loop().time
        check_at = now() + limit("WEBSOCKET_TAIL_CHECK_SECONDS")
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout_at(check_at):
                    await self.due.wait()
            self.due.clear()
            feeds, self.doubted = self.doubted, set()
            is_time = self.missed or now() >= check_at
            if is_time:
                self.missed, check_at = False, now() + limit("WEBSOCKET_TAIL_CHECK_SECONDS")
            try:
                if is_time:
                    await complete_all()
                    feeds = self.feeds.values()
                await self._compare([feed for feed in feeds if feed.is_open])
            except Exception as error:  # whatever is wrong with the database: the next check comes
                logger.error("The tails of the streams could not be checked: %r", error)

    async def _compare(self, feeds: list[Feed]) -> None:
        """Compare feeds with the rows, so many at a time that the event loop is not kept."""
        for start in range(0, len(feeds), AT_ONCE):
            await self._compare_some(feeds[start : start + AT_ONCE])

    async def _compare_some(self, feeds: list[Feed]) -> None:
        # Where each feed is now: it may go on while the database answers.
        before = {feed: feed.place for feed in feeds}
        found = await positions([feed.name for feed in feeds])
        behind = {feed.name for feed in feeds if feed.compare(found.get(feed.name), before[feed])}
        # A Redis that was flushed has forgotten who was in a group.
        await self.listener.join_again(behind)


hubs: WeakKeyDictionary[asyncio.AbstractEventLoop, Hub] = WeakKeyDictionary()


def hub() -> Hub:
    """Return the hub of the running event loop: of the process, but in tests."""
    return hubs.setdefault(asyncio.get_running_loop(), Hub())
