"""What belongs to an event loop, so to a process or a test, and to no connection alone."""

import asyncio
from collections.abc import Callable, Coroutine
from contextvars import Context
from functools import wraps
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

T = TypeVar("T")


def per_event_loop(make: Callable[[], T]) -> Callable[[], T]:
    """Make the function return what it made before in the running event loop."""
    made: WeakKeyDictionary[asyncio.AbstractEventLoop, T] = WeakKeyDictionary()

    @wraps(make)
    def get() -> T:
        loop = asyncio.get_running_loop()
        if loop not in made:
            made[loop] = make()
        return made[loop]

    return get


def create_shared_task(work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
    """Run what many connections wait for in a task of none of them.

    By default a task inherits the context of its creator: the id of one connection would stand in
    its log records, and the thread of one request, which may be gone before, would run its queries.
    """
    return asyncio.create_task(work, context=Context())
