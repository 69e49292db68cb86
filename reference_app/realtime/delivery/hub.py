"""Subscribes a process once to each stream that has local sockets, and detects lost frames.

A channel layer delivers at most once; the rows are complete. The feed reads a gap between two
frames from the rows. A lost last frame leaves no gap, so a periodic check of the tails finds it.
"""

import asyncio
import logging
from collections.abc import Iterable
from contextlib import suppress
from functools import partial

from ..concurrency.batched_query import BatchedQuery
from ..concurrency.event_loop import create_shared_task, per_event_loop
from ..concurrency.threads import socket_threads
from ..conf import conf
from ..layer.publish import publish
from ..layer.subscribe import GroupSubscriber
from ..protocol import frames
from ..signals import streams_changed
from . import outbox, read_marks, streams
from .cursor import Cursor
from .feed import Feed
from .streams import MESSAGE_TYPE, Appended, Position

logger = logging.getLogger(__name__)

# Streams that are compared with the rows at a time. Ten thousand at once blocked the event loop
# for 14 to 336 ms.
AT_ONCE = 200

positions = partial(socket_threads.run, streams.positions)


def complete(names: Iterable[str] | None = None) -> None:
    """Finish what senders left undone when they died, in these streams or in any."""
    publish(streams.messages_of(outbox.flush_abandoned(names)))


def completed_positions(names: Iterable[str]) -> dict[str, Position]:
    complete(names)
    return streams.positions(names)


complete_all = partial(socket_threads.run, complete)
position_of, begin = BatchedQuery(completed_positions), BatchedQuery(streams.begin)


async def position(stream: str) -> Position:
    """Return where a stream is, and begin it if nothing was sent to it yet."""
    known = await position_of(stream) or await begin(stream)
    assert known, f"The stream {stream} was begun, and has no row."
    return known


class Hub:
    """The feeds of one event loop.

    It works while there are any.
    """

    def __init__(self) -> None:
        self.feeds: dict[str, Feed] = {}
        self.subscriber: GroupSubscriber | None = None
        self.checking: asyncio.Task[None] | None = None
        self.due = asyncio.Event()
        # Feeds that got a frame which may not be of their history.
        self.to_compare: set[Feed] = set()
        self.missed = False

    async def enter(self, stream: str, cursor: Cursor) -> Feed:
        """Return the feed of a stream, opened, with a cursor on it that has to `follow` yet.

        Raises one of LAYER_ERRORS, or DatabaseError, where one of the two is out of reach.
        """
        feed = cursor.feed = self.feeds.setdefault(stream, Feed(stream))
        feed.cursors.add(cursor)
        streams_changed.send_robust(Hub, open=len(self.feeds))
        if not self.subscriber:
            self.subscriber = GroupSubscriber(set(), self.on_message, self._on_gap)
            self.checking = create_shared_task(self._check_tails(self.subscriber))
        async with feed.lock:
            if not feed.is_open:
                await self.subscriber.join(stream)
                feed.open(await position(stream))
        return feed

    async def leave(self, cursor: Cursor) -> None:
        """Forget a cursor, and leave the group of a stream after its last one."""
        cursor.stop()
        feed = getattr(cursor, "feed", None)
        if feed is None or cursor not in feed.cursors:
            return
        feed.cursors.discard(cursor)
        if feed.cursors:
            return
        feed.close()
        del self.feeds[feed.name]
        streams_changed.send_robust(Hub, open=len(self.feeds))
        if self.subscriber and self.feeds:
            await self.subscriber.leave(feed.name)
        elif self.subscriber and self.checking:
            subscriber, self.subscriber = self.subscriber, None
            self.checking.cancel()
            await subscriber.stop()

    async def on_message(self, message: object) -> None:
        """Take a message from the layer.

        Unknown kinds are ignored.
        """
        match message:
            case {
                "type": str(kind),
                "stream": str(stream),
                "offset": int(offset),
                "tag": str(tag),
                "previous": str(previous),
                "text": str(text),
                **rest,
            } if kind == MESSAGE_TYPE:
                # The code of before an update does not send the time.
                time = rest.get("written_at")
                written_at = time if isinstance(time, float) else 0.0
                await self._accept(Appended(stream, offset, tag, previous, text, written_at))
            case {
                "type": read_marks.MESSAGE_TYPE,
                "stream": str(stream),
                "user": str(user),
                "read": int(read),
                "unread": int(unread),
            }:
                if feed := self.feeds.get(stream):
                    feed.tell(user, frames.read_frame(read, unread))
            case _:
                logger.warning("Ignored a group message of a kind that is unknown here")

    async def _accept(self, entry: Appended) -> None:
        feed = self.feeds.get(entry.stream)
        if not feed:
            return
        entry = entry._replace(text=frames.fitting(entry.text, entry.offset, entry.tag))
        if feed.is_open and entry.offset <= feed.head:
            # A duplicate, or the database went back to an earlier state: the rows tell which.
            self.to_compare.add(feed)
            self.due.set()
        else:
            await feed.accept(entry)

    def _on_gap(self) -> None:
        """Have all feeds compared at once, because messages may have been missed."""
        self.missed = True
        self.due.set()

    async def _check_tails(self, subscriber: GroupSubscriber) -> None:
        """Compare all feeds with the rows at intervals, and those in `to_compare` at once."""
        now = asyncio.get_running_loop().time
        check_at = now() + conf.TAIL_CHECK_SECONDS
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout_at(check_at):
                    await self.due.wait()
            self.due.clear()
            feeds, self.to_compare = self.to_compare, set()
            is_time = self.missed or now() >= check_at
            if is_time:
                self.missed, check_at = False, now() + conf.TAIL_CHECK_SECONDS
            try:
                if is_time:
                    await complete_all()
                    feeds = {*self.feeds.values()}
                behind = await self._compare([feed for feed in feeds if feed.is_open])
                # A Redis that was flushed has forgotten the members of a group.
                await subscriber.join_again(behind)
            except Exception as error:  # any fault of the database: the next check comes
                logger.error("Stream gap check failed, and is tried again: %r", error)

    async def _compare(self, feeds: list[Feed]) -> set[str]:
        """Compare feeds with the rows, a part at a time, and return those that have lost frames."""
        behind: set[str] = set()
        for start in range(0, len(feeds), AT_ONCE):
            behind |= await self._compare_some(feeds[start : start + AT_ONCE])
        return behind

    async def _compare_some(self, feeds: list[Feed]) -> set[str]:
        # Where each feed is now: it may go on while the database answers.
        before = {feed: feed.place for feed in feeds}
        found = await positions([feed.name for feed in feeds])
        return {feed.name for feed in feeds if feed.compare(found.get(feed.name), before[feed])}


@per_event_loop
def hub() -> Hub:
    """Return the hub of the running event loop."""
    return Hub()
