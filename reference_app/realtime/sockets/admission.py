"""Admission control for handshakes, first come, first served.

In a reconnect storm without it, all handshakes would be worked on at once, and each would time out.
"""

from asyncio import Semaphore, get_running_loop, timeout_at
from collections import defaultdict
from contextlib import asynccontextmanager

from ..concurrency.event_loop import per_event_loop
from ..conf import conf

# Handshakes in one phase at the same time. Enough for one query to answer for many, and few enough
# for the first to be done long before the last.
AT_ONCE = 50


@asynccontextmanager
async def admission(scope: dict, phase: str):
    """Take a slot in one phase of a handshake; raises TimeoutError when the handshake is too slow.

    All phases of a handshake share its time.
    """
    async with timeout_at(deadline_of(scope)), slots()[phase]:
        yield


def deadline_of(scope: dict) -> float:
    """Return when the time of a handshake is over, by the loop's clock.

    The first call starts it.
    """
    now = get_running_loop().time()
    deadline: float = scope.setdefault("deadline", now + conf.CONNECT_SECONDS)
    return deadline


def time_taken(scope: dict) -> float:
    """Return the seconds since a handshake began."""
    return get_running_loop().time() - deadline_of(scope) + conf.CONNECT_SECONDS


@per_event_loop
def slots() -> defaultdict[str, Semaphore]:
    """Return the slots of each phase in the running event loop."""
    return defaultdict(lambda: Semaphore(AT_ONCE))
