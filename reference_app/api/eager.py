"""Begins an awaitable at once, and leaves to a task only what it has to wait for.

A task for each frame would cost more than sending it. Python 3.12 calls this an eager start.
"""

import asyncio
from collections.abc import Awaitable, Generator


def begin(awaitable: Awaitable) -> Awaitable | None:
    """Run an awaitable up to where it waits, and return what is left of it.

    Returns None where it has ended.

    Both halves run in different tasks, so it must not ask for the task that it runs in, as
    `asyncio.timeout` does.
    """
    steps = awaitable.__await__()
    try:
        future = next(steps)
    except StopIteration:
        return None
    if future is not None:
        # As a task does. While this is set, nobody else may await the future; asyncio's own tasks
        # are the only other way to clear it.
        future._asyncio_future_blocking = False
    return Rest(steps, future)


class Rest:
    """What is left of an awaitable that waits for a future, or for the next turn of the loop."""

    def __init__(self, steps: Generator, future: asyncio.Future | None):
        self.steps, self.future = steps, future

    def __await__(self):
        try:
            if self.future is None:
                yield
            else:
                yield from asyncio.wait([self.future]).__await__()
        except BaseException as error:
            self.steps.throw(error)  # a cancellation, above all
            raise
        return (yield from self.steps)
