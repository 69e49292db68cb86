"""Into the channel layer, after commit, and never at the cost of the caller."""

import asyncio
import logging
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


async def send_after_commit(group: str, message: dict) -> None:
    """Send to a group once the caller's transaction commits, or now where there is none."""
    send = partial(_send, group, message)
    if not await sync_to_async(_send_on_commit)(send):
        await send()


def _send_on_commit(send) -> bool:
    """Leave `send` to the transaction that the caller's thread is in, if it is in one.

    `async_to_sync` runs this in the thread it was called from, so the transaction is the caller's.
    """
    if not transaction.get_connection().in_atomic_block:
        return False
    transaction.on_commit(async_to_sync(send))
    return True


async def _send(group: str, message: dict) -> None:
    """Hand the message to the layer; a layer that is down must not fail the caller's work."""
    try:
        async with asyncio.timeout(LAYER_TIMEOUT):
            await get_channel_layer().group_send(group, message)
    except LAYER_ERRORS as error:
        logger.error("A message for %s was not sent: %s", group, str(error) or type(error).__name__)
