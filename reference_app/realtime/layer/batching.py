"""Sends many messages to the channel layer in few round trips.

The layer by itself takes one message a call.
"""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from channels.layers import BaseChannelLayer
from channels_redis.pubsub import RedisPubSubChannelLayer

from .timeouts import layer_timeout

# Groups that are sent to at the same time where the layer takes messages one by one. redis-py
# raises where more than 100 connections are in use.
AT_ONCE = 20

# A message and the group that it is sent to.
Message = tuple[str, dict[str, Any]]


async def group_send_many(layer: BaseChannelLayer, messages: Sequence[Message]) -> None:
    """Send pairs of group and message, those to one group in order.

    Raises one of LAYER_ERRORS where the layer is out of reach, or does not answer in time.
    """
    if len(messages) == 1:
        async with layer_timeout():
            await layer.group_send(*messages[0])
    elif isinstance(layer, RedisPubSubChannelLayer):
        await _publish_many(layer, messages)
    else:
        await _send_one_by_one(layer, messages)


async def _publish_many(layer: RedisPubSubChannelLayer, messages: Iterable[Message]) -> None:
    """Publish by one pipeline for each Redis.

    The names with an underscore are not public in channels_redis, which has no call for this.
    """
    by_shard = defaultdict(list)
    for group, message in messages:
        channel = layer._get_group_channel_name(group)
        by_shard[layer._get_shard(channel)].append((channel, layer.serialize(message)))
    for shard, commands in by_shard.items():
        async with layer_timeout():
            async with shard._lock:
                shard._ensure_redis()
            async with shard._redis.pipeline(transaction=False) as pipeline:
                for channel, text in commands:
                    pipeline.publish(channel, text)
                await pipeline.execute()


async def _send_one_by_one(layer: BaseChannelLayer, messages: Iterable[Message]) -> None:
    by_group = defaultdict(list)
    for group, message in messages:
        by_group[group].append(message)

    async def send(group: str) -> None:
        for message in by_group[group]:
            async with layer_timeout():
                await layer.group_send(group, message)

    groups = [*by_group]
    for start in range(0, len(groups), AT_ONCE):
        sends = map(send, groups[start : start + AT_ONCE])
        for error in await asyncio.gather(*sends, return_exceptions=True):
            if error:
                raise error
