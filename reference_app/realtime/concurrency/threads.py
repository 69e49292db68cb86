"""Threads for database work, so few that a database which hangs cannot use up the process."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from channels.db import DatabaseSyncToAsync
from django.db import reset_queries

T = TypeVar("T")

# Most threads of a process for the queries of its sockets, and for its requests, which may do other
# work too. A usual pool has ten connections to the database for all of them.
FOR_SOCKETS, FOR_REQUESTS = 16, 40


class Call(DatabaseSyncToAsync):
    """A sync function as an async one, which leaves no log of its queries in its thread.

    With DEBUG, Django keeps the last 9,000 queries of each connection until a request begins in the
    same thread. In a thread that serves sockets none does. Such logs took 2.3 MiB a minute.
    """

    def thread_handler(self, *args: Any, **kwargs: Any) -> Any:
        try:
            return super().thread_handler(*args, **kwargs)
        finally:
            reset_queries()


class Threads:
    """A number of threads, and a queue of those who wait for one.

    A caller that is cancelled does not wait for its thread. The thread works on, because nothing
    can stop it, and serves nobody else until it is done.
    """

    def __init__(self, most: int, name: str):
        self.most = most
        self.executor = ThreadPoolExecutor(most, thread_name_prefix=name)
        self.free: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Semaphore]
        self.free = WeakKeyDictionary()

    async def run(self, function: Callable[..., T], *args: Any) -> T:
        """Return what a sync function returns, which is called once a thread is free.

        Its database connection is given back afterwards.
        """
        loop = asyncio.get_running_loop()
        free = self.free.setdefault(loop, asyncio.Semaphore(self.most))
        await free.acquire()
        call = Call(function, thread_sensitive=False, executor=self.executor)
        work: asyncio.Task[T] = loop.create_task(call(*args))
        work.add_done_callback(lambda _: free.release())
        return await asyncio.shield(work)


socket_threads, request_threads = Threads(FOR_SOCKETS, "socket"), Threads(FOR_REQUESTS, "request")
