"""The guide's channel layer over a Redis that lives in this process."""

import asyncio
from typing import Any

from channels_redis.core import RedisChannelLayer

# Seconds between two looks for a message.
POLL = 0.01


class EmbeddedRedisChannelLayer(RedisChannelLayer):
    """Looks for messages at short intervals, because fakeredis waits a cancelled read out.

    Such a read took the first message of the next socket (fakeredis-py#471). Two of a hundred
    sockets that left stayed for ten seconds, because a cancelled read had ended in that moment.
    """

    async def receive_single(self, channel: str) -> Any:
        task = asyncio.current_task()
        while not await self.connection(0).zcard(self.prefix + channel):
            # asyncio.wait_for of Python 3.11 may have swallowed a cancellation.
            if task and task.cancelling():
                raise asyncio.CancelledError
            await asyncio.sleep(POLL)
        return await super().receive_single(channel)
