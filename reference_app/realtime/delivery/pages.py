"""Pages of history, of which a process holds few at a time, and each for a moment."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import ExitStack, asynccontextmanager

from ..concurrency.event_loop import per_event_loop
from .streams import Appended

# Pages that are held at the same time. A socket waits for its turn before its page is read.
AT_ONCE = 32

# Seconds for which a page is held while its client does not read. One that was dropped costs
# another query, which a client that reads should not need.
MOMENT = 0.1


@per_event_loop
def slots() -> asyncio.Semaphore:
    """Return the slots for pages in the running event loop."""
    return asyncio.Semaphore(AT_ONCE)


@asynccontextmanager
async def held(read: Callable[[], Awaitable[list[Appended]]]) -> AsyncIterator[deque[Appended]]:
    """Read a page and hold it for a moment.

    After that it is empty, and what was not taken has to be read again.
    """
    page: deque[Appended] = deque()
    await slots().acquire()
    with ExitStack() as holding:
        holding.callback(slots().release)
        holding.callback(page.clear)
        page.extend(await read())
        moment = asyncio.get_running_loop().call_later(MOMENT, holding.close)
        holding.callback(moment.cancel)
        yield page
