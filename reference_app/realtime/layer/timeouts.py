"""What a channel layer raises, and how long it may take."""

import asyncio
from collections.abc import Awaitable

from channels.exceptions import ChannelFull
from redis.exceptions import RedisError

from ..deadlines import LAYER_TIMEOUT

# What a channel layer raises when it, or the Redis under it, cannot do its work.
LAYER_ERRORS = (RedisError, ChannelFull, OSError)


def layer_timeout() -> asyncio.Timeout:
    """Limit how long a layer may take.

    TimeoutError is one of LAYER_ERRORS.
    """
    return asyncio.timeout(LAYER_TIMEOUT)


async def within_layer_timeout(call: Awaitable[object]) -> None:
    """Await a call to a layer within the same limit, and let it go on where it takes longer.

    The Pub/Sub layer makes its calls to Redis one after the other. A call that is cancelled before
    its turn leaves a subscription for ever, and in its turn it ends the connection.
    """
    # Not by `asyncio.timeout`: in a task that may be cancelled already, it raises CancelledError,
    # not TimeoutError, in Python 3.11.2.
    task = asyncio.ensure_future(call)
    task.add_done_callback(lambda done: done.cancelled() or done.exception())
    await asyncio.wait_for(asyncio.shield(task), LAYER_TIMEOUT)
