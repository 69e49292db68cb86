"""One query for all who wait: what many sockets ask at once, the database is asked once."""

import asyncio
from collections.abc import Callable, Hashable, Mapping
from weakref import WeakKeyDictionary

from channels.db import database_sync_to_async


class Lookup:
    """Answers a key, awaited as `await lookup(key)`, by a function that answers many.

    Whoever asks while a query runs waits for the next, so that no answer is older than its
    question; a storm of connections takes a few queries, not a few each. `find` runs in a thread of
    its own: what is slow elsewhere must keep nobody out.
    """

    def __init__(self, find: Callable[[set], Mapping]):
        self.find = database_sync_to_async(find, thread_sensitive=False)
        self.rounds: WeakKeyDictionary[asyncio.AbstractEventLoop, Round] = WeakKeyDictionary()

    async def __call__(self, key: Hashable):
        """Return the answer, or None where `find` has none; raises what `find` raises."""
        round_ = self.rounds.setdefault(asyncio.get_running_loop(), Round(self.find))
        return (await round_.answers(key)).get(key)


class Round:
    """The questions of one event loop, and the round in which those of now will be answered."""

    def __init__(self, find):
        self.find = find
        self.asked: set[Hashable] = set()
        self.next: asyncio.Task | None = None
        self.turn = asyncio.Lock()

    async def answers(self, key: Hashable) -> Mapping:
        self.asked.add(key)
        if not self.next:
            self.next = asyncio.create_task(self._answer())
        return await asyncio.shield(self.next)

    async def _answer(self) -> Mapping:
        async with self.turn:
            asked, self.asked, self.next = self.asked, set(), None
            return await self.find(asked)
