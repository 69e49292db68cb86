"""Batches look-ups, so that the database is asked once for what many sockets need at once."""

import asyncio
from collections.abc import Callable, Hashable, Mapping
from functools import partial
from typing import Generic, TypeVar
from weakref import WeakKeyDictionary

from ..signals import lookup_batched
from .event_loop import create_shared_task
from .threads import socket_threads

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class BatchedQuery(Generic[K, V]):
    """Answers a key, awaited as `await query(key)`, by a function that answers many.

    Keys that are asked for while a query runs share the next one, so that no answer is older than
    its question. `load` runs in one of the threads for sockets, so that no request delays it.
    """

    def __init__(self, load: Callable[[set[K]], Mapping[K, V]]):
        self.load = partial(socket_threads.run, load)
        self.batches: WeakKeyDictionary[asyncio.AbstractEventLoop, Batch] = WeakKeyDictionary()

    async def __call__(self, key: K) -> V | None:
        """Return the answer, or None where `load` has none.

        Raises what `load` raises.
        """
        batch = self.batches.setdefault(asyncio.get_running_loop(), Batch(self.load))
        return (await batch.answers(key)).get(key)


class Batch:
    """The keys that wait in one event loop, and the query that will answer them."""

    def __init__(self, load):
        self.load = load
        self.waiting_keys: set[Hashable] = set()
        self.next: asyncio.Task | None = None
        self.lock = asyncio.Lock()

    async def answers(self, key: Hashable) -> Mapping:
        self.waiting_keys.add(key)
        if not self.next:
            self.next = create_shared_task(self._answer())
        return await asyncio.shield(self.next)

    async def _answer(self) -> Mapping:
        async with self.lock:
            keys, self.waiting_keys, self.next = self.waiting_keys, set(), None
            lookup_batched.send_robust(Batch, size=len(keys))
            return await self.load(keys)
