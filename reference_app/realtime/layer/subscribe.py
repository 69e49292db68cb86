"""Subscribes a process to groups of the channel layer, through one channel of its own.

A layer delivers at most once, and may be away. The subscriber says when messages may have been
missed.
"""

import asyncio
import logging
import math
from collections.abc import Awaitable, Callable, Iterable
from weakref import WeakValueDictionary

from channels.layers import BaseChannelLayer, get_channel_layer

from ..concurrency.event_loop import create_shared_task
from ..signals import layer_failed
from .timeouts import LAYER_ERRORS, layer_timeout, within_layer_timeout

logger = logging.getLogger(__name__)

# Seconds between two tries to reach a layer that does not answer.
RETRY = 1

# The core layer forgets a member a fixed time after it joined (`group_expiry`). A membership is
# renewed this many times in it, so that it outlives a Redis that is away for a while.
RENEWALS_PER_EXPIRY = 3

# Seconds that a layer may take to clean up once it was cancelled, before it is cancelled again.
# When the Pub/Sub layer is cancelled while it cleans up, it logs a traceback and stays subscribed.
CANCEL_GRACE_SECONDS = 1

# Groups that are joined at the same time: redis-py's pool ends at 100 connections, and then raises.
JOINS_AT_ONCE = 50


class GroupSubscriber:
    """Receives the messages of groups, and joins these again when the layer was away.

    `on_message` is awaited for each message, one after the other. `on_gap` is called when messages
    may have been missed.
    """

    def __init__(
        self,
        groups: set[str],
        on_message: Callable[[object], Awaitable[None]],
        on_gap: Callable[[], None],
    ):
        # Each group, and when it was joined last, by the loop's clock.
        self.groups = dict.fromkeys(groups, 0.0)
        self.on_message, self.on_gap = on_message, on_gap
        # None while there is no layer.
        self.channel: str | None = None
        self.first_attempt = asyncio.Event()
        self.joining = asyncio.Semaphore(JOINS_AT_ONCE)
        # A group that is left and joined at the same time must end as joined.
        self.locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self.task = create_shared_task(self._receive_for_ever())

    async def join(self, group: str) -> None:
        """Receive a group's messages from now on.

        Raises one of LAYER_ERRORS where it cannot.
        """
        await self.first_attempt.wait()
        self.groups.setdefault(group, 0.0)
        if self.channel is None:
            raise ConnectionError("The channel layer is away, so no group can be joined.")
        async with self.joining, self._lock(group):
            await self._join(group, self.channel)

    async def leave(self, group: str) -> None:
        self.groups.pop(group, None)
        async with self._lock(group):
            if self.channel:
                await discard(group, self.channel)

    async def join_again(self, groups: Iterable[str]) -> None:
        """Join groups again that a flushed Redis has forgotten, and those it would forget soon."""
        again = [*((self.groups.keys() & groups) | self._expiring())]
        for start in range(0, len(again), JOINS_AT_ONCE):
            joins = map(self.join, again[start : start + JOINS_AT_ONCE])
            results = await asyncio.gather(*joins, return_exceptions=True)
            if failures := [error for error in results if error]:
                if not isinstance(failures[0], LAYER_ERRORS):
                    raise failures[0]
                return  # the layer is away: the next check comes

    def _expiring(self) -> set[str]:
        """Return the groups to join again.

        The Pub/Sub layer's memberships do not expire.
        """
        expiry = getattr(get_channel_layer(), "group_expiry", math.inf)
        if expiry == math.inf:
            return set()
        oldest = asyncio.get_running_loop().time() - expiry / RENEWALS_PER_EXPIRY
        return {group for group, joined_at in self.groups.items() if joined_at < oldest}

    async def stop(self) -> None:
        """Leave all groups, and wait until that is done."""
        while not self.task.done():  # a layer may swallow a cancellation
            self.task.cancel()
            await asyncio.wait([self.task], timeout=CANCEL_GRACE_SECONDS)

    async def _join(self, group: str, channel: str) -> None:
        try:
            await within_layer_timeout(get_channel_layer().group_add(group, channel))
        except LAYER_ERRORS:
            layer_failed.send_robust(GroupSubscriber, operation="join")
            raise
        if group in self.groups:  # it may have been left in the meantime
            self.groups[group] = asyncio.get_running_loop().time()

    def _lock(self, group: str) -> asyncio.Lock:
        return self.locks.setdefault(group, asyncio.Lock())

    async def _receive_for_ever(self) -> None:
        while True:
            try:
                await self._receive(get_channel_layer())
            except Exception as error:  # any fault of the layer: it is tried again
                layer_failed.send_robust(GroupSubscriber, operation="receive")
                logger.error("Channel layer unavailable, and tried again in %s s: %r", RETRY, error)
            self.first_attempt.set()
            await asyncio.sleep(RETRY)
            self.on_gap()

    async def _receive(self, layer: BaseChannelLayer) -> None:
        async with layer_timeout():
            channel = await layer.new_channel()
        try:
            for group in [*self.groups]:
                await self._join(group, channel)
            self.channel = channel
            self.first_attempt.set()
            while True:
                message = await layer.receive(channel)
                await self.on_message(message)
        finally:
            self.channel = None
            for group in [*self.groups]:
                await discard(group, channel)


async def discard(group: str, channel: str) -> None:
    """Leave a group.

    A membership of the core layer that cannot be ended will expire.
    """
    try:
        await within_layer_timeout(get_channel_layer().group_discard(group, channel))
    except LAYER_ERRORS as error:
        layer_failed.send_robust(GroupSubscriber, operation="leave")
        logger.error("A group could not be left in time: %r", error)
