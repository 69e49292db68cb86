"""Starts an awaitable eagerly, and leaves to a task only what it has to wait for.

A task for each frame would cost more than sending it. Python 3.12 calls this an eager start.
"""

import asyncio
from collections.abc import Awaitable, Generator
from typing import Any

# The steps of an awaitable: it yields the futures that it waits for.
Steps = Generator[Any, Any, object]


def start_eagerly(awaitable: Awaitable[object]) -> Awaitable[object] | None:
    """Start an awaitable eagerly, and return what is left of it, or None if it has finished.

    Both halves run in different tasks, so it must not ask for the task that it runs in, as
    `asyncio.timeout` does.
    """
    steps = awaitable.__await__()
    try:
        future = next(steps)
    except StopIteration:
        return None
    if future is not None:
        # As a task does. While this is set, no other task may await the future; asyncio's own tasks
        # are the only other way to clear it.
        future._asyncio_future_blocking = False
    return Remainder(steps, future)


class Remainder:
    """What is left of an awaitable that waits for a future, or for the next turn of the loop."""

    def __init__(self, steps: Steps, future: asyncio.Future[object] | None):
        self.steps, self.future = steps, future

    def __await__(self) -> Steps:
        try:
            if self.future is None:
                yield
            else:
                yield from asyncio.wait([self.future]).__await__()
        except BaseException as error:
            self.steps.throw(error)  # a cancellation, above all
            raise
        return (yield from self.steps)
