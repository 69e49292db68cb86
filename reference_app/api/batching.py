"""Many messages in one round trip to the channel layer, which by itself takes them one by one."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Sequence

from channels_redis.pubsub import RedisPubSubChannelLayer

# Messages on their way at the same time where the layer takes them one by one. redis-py raises
# where more than 100 connections are in use.
AT_ONCE = 20


async def group_send_many(layer, messages: Sequence[tuple[str, dict]]) -> None:
    """Send pairs of group and message, those to one group in order."""
    if len(messages) == 1:
        await layer.group_send(*messages[0])
    elif isinstance(layer, RedisPubSubChannelLayer):
        await _publish_many(layer, messages)
    else:
        await _send_side_by_side(layer, messages)


async def _publish_many(layer: RedisPubSubChannelLayer, messages: Iterable[tuple]) -> None:
    """Publish by one pipeline for each Redis; what it needs of channels_redis is not public."""
    by_shard = defaultdict(list)
    for group, message in messages:
        channel = layer._get_group_channel_name(group)
        by_shard[layer._get_shard(channel)].append((channel, layer.serialize(message)))
    for shard, commands in by_shard.items():
        async with shard._lock:
            shard._ensure_redis()
        async with shard._redis.pipeline(transaction=False) as pipeline:
            for channel, text in commands:
                pipeline.publish(channel, text)
            await pipeline.execute()


async def _send_side_by_side(layer, messages: Iterable[tuple[str, dict]]) -> None:
    by_group = defaultdict(list)
    for group, message in messages:
        by_group[group].append(message)
    turns = asyncio.Semaphore(AT_ONCE)

    async def send(group: str) -> None:
        async with turns:
            for message in by_group[group]:
                await layer.group_send(group, message)

    await asyncio.gather(*map(send, by_group))
