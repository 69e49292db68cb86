"""Into the channel layer, after commit, and never at the cost of the caller."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from functools import partial

from asgiref.sync import async_to_sync, sync_to_async
from channels.exceptions import ChannelFull
from channels.layers import get_channel_layer
from django.db import transaction
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)

# What a channel layer raises when it, or the Redis under it, cannot do its work.
LAYER_ERRORS = (RedisError, ChannelFull, OSError)

# Seconds that a layer which does not answer may keep anyone waiting.
LAYER_TIMEOUT = 2


def within_reason() -> asyncio.Timeout:
    """Limit how long a layer may take; TimeoutError is one of LAYER_ERRORS."""
    return asyncio.timeout(LAYER_TIMEOUT)


async def cut_short(call: Awaitable) -> None:
    """Await a call to a layer within the same limit, from a task that may have been cancelled.

    There `asyncio.timeout` raises CancelledError, not TimeoutError, in Python 3.11.2.
    """
    await asyncio.wait_for(call, LAYER_TIMEOUT)


async def send_after_commit(group: str, make: Callable[[], dict]) -> None:
    """Make a message, and send it to a group once the caller's transaction commits.

    `make` runs in the caller's transaction, if there is one; where there is none, the message is
    sent at once.
    """
    if message := await sync_to_async(_make)(group, make):
        await _send(group, message)


def _make(group: str, make: Callable[[], dict]) -> dict | None:
    """Make the message; leave it to the transaction that the caller's thread is in, if any.

    `async_to_sync` runs this in the thread it was called from, so the transaction is the caller's.
    """
    message = make()
    if not transaction.get_connection().in_atomic_block:
        return message
    transaction.on_commit(partial(async_to_sync(_send), group, message))
    return None


async def _send(group: str, message: dict) -> None:
    """Hand the message to the layer; a layer that is down must not fail the caller's work."""
    try:
        async with within_reason():
            await get_channel_layer().group_send(group, message)
    except LAYER_ERRORS as error:
        logger.error("A message for %s was not sent: %s", group, str(error) or type(error).__name__)
