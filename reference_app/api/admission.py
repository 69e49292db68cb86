"""In through the door, some at a time: of a storm, those who came first are let in first.

If all went on side by side, all would be done at the end, too late; and nobody's work would count.
"""

from asyncio import AbstractEventLoop, Semaphore, get_running_loop, timeout_at
from collections import defaultdict
from contextlib import asynccontextmanager
from weakref import WeakKeyDictionary

from .limits import limit

# Handshakes in one step at the same time: enough for a query to serve many, and few enough for the
# first to be through long before the last.
AT_ONCE = 50


@asynccontextmanager
async def admission(scope: dict, step: str):
    """Take a turn in one step of a handshake; raises TimeoutError when it has lasted too long.

    All steps of a handshake share the time, which starts at the first.
    """
    now = get_running_loop().time()
    deadline = scope.setdefault("deadline", now + limit("WEBSOCKET_CONNECT_SECONDS"))
    async with timeout_at(deadline), turns()[step]:
        yield


steps: WeakKeyDictionary[AbstractEventLoop, dict[str, Semaphore]] = WeakKeyDictionary()


def turns() -> dict[str, Semaphore]:
    """Return what each step has left, in the running event loop."""
    return steps.setdefault(get_running_loop(), defaultdict(lambda: Semaphore(AT_ONCE)))
