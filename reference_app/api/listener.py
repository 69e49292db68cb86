"""What a process hears of the channel layer: groups, through one channel of its own.

A layer is at most once and may be away; who listens is told when messages may have been missed.
"""

import asyncio
import logging
import math
from collections.abc import Awaitable, Callable
from weakref import WeakValueDictionary

from channels.layers import get_channel_layer

from .layer import LAYER_ERRORS, cut_short, within_reason

logger = logging.getLogger(__name__)

# Seconds between two tries to reach a layer that is out of reach.
RETRY = 1

# The core layer forgets a member so many seconds after it joined (`group_expiry`). A membership is
# renewed after one of these parts of them, so that it outlives a Redis that is away for a while.
PARTS = 3

# Seconds that a layer may take to clean up once it was cancelled, before it is cancelled again: a
# second time amid that, and the Pub/Sub layer logs a traceback and stays subscribed to the channel.
CLEAN_UP = 1

# Groups that are joined at the same time: redis-py's pool ends at 100 connections, and then raises.
JOINS_AT_ONCE = 50


class Listener:
    """Hears groups of the channel layer, and comes back to them when the layer was away.

    `hear` is awaited for each message, one after the other; `miss` is called when messages may have
    been missed.
    """

    def __init__(
        self,
        groups: set[str],
        hear: Callable[[object], Awaitable[None]],
        miss: Callable[[], None],
    ):
        # Each group, and when it was joined last, by the loop's clock.
        self.groups = dict.fromkeys(groups, 0.0)
        self.hear, self.miss = hear, miss
        # None while there is no layer.
        self.channel: str | None = None
        self.tried = asyncio.Event()
        self.joining = asyncio.Semaphore(JOINS_AT_ONCE)
        # A group that is left and joined at once must end as joined.
        self.locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self.task = asyncio.create_task(self._listen())

    async def join(self, group: str) -> None:
        """Hear a group from now on; raises one of LAYER_ERRORS where the layer is out of reach."""
        await self.tried.wait()
        self.groups.setdefault(group, 0.0)
        if self.channel is None:
            raise ConnectionError("There is no channel to hear it by.")
        async with self.joining, self._lock(group), within_reason():
            await self._join(group, self.channel)

    async def leave(self, group: str) -> None:
        self.groups.pop(group, None)
        async with self._lock(group):
            if self.channel:
                await discard(group, self.channel)

    async def join_again(self, groups: set[str]) -> None:
        """Enter groups anew that a flushed Redis has forgotten, and those it would forget soon."""
        again = [*((groups & self.groups.keys()) | self._ageing())]
        for start in range(0, len(again), JOINS_AT_ONCE):
            joins = map(self.join, again[start : start + JOINS_AT_ONCE])
            results = await asyncio.gather(*joins, return_exceptions=True)
            if failures := [error for error in results if error]:
                if not isinstance(failures[0], LAYER_ERRORS):
                    raise failures[0]
                return  # the layer is away: the next check comes

    def _ageing(self) -> set[str]:
        """Return the groups whose membership is to be renewed; Pub/Sub knows no end of one."""
        expiry = getattr(get_channel_layer(), "group_expiry", math.inf)
        if expiry == math.inf:
            return set()
        oldest = asyncio.get_running_loop().time() - expiry / PARTS
        return {group for group, joined_at in self.groups.items() if joined_at < oldest}

    async def stop(self) -> None:
        """Leave all groups, and wait until that is done."""
        while not self.task.done():  # a layer may swallow a cancellation
            self.task.cancel()
            await asyncio.wait([self.task], timeout=CLEAN_UP)

    async def _join(self, group: str, channel: str) -> None:
        await get_channel_layer().group_add(group, channel)
        if group in self.groups:  # it may have been left meanwhile
            self.groups[group] = asyncio.get_running_loop().time()

    def _lock(self, group: str) -> asyncio.Lock:
        return self.locks.setdefault(group, asyncio.Lock())

    async def _listen(self) -> None:
        while True:
            try:
                await self._hear(get_channel_layer())
            except Exception as error:  # whatever is wrong with the layer, the listener outlives it
                logger.error("The channel layer cannot be heard: %r", error)
            self.tried.set()
            await asyncio.sleep(RETRY)
            self.miss()

    async def _hear(self, layer) -> None:
        async with within_reason():
            channel = await layer.new_channel()
        try:
            for group in [*self.groups]:
                async with within_reason():
                    await self._join(group, channel)
            self.channel = channel
            self.tried.set()
            while True:
                message = await layer.receive(channel)
                await self.hear(message)
        finally:
            self.channel = None
            for group in [*self.groups]:
                await discard(group, channel)


async def discard(group: str, channel: str) -> None:
    """Leave a group; a membership that cannot be ended now will expire."""
    try:
        await cut_short(get_channel_layer().group_discard(group, channel))
    except LAYER_ERRORS as error:
        logger.error("A group could not be left, the membership will expire: %r", error)
