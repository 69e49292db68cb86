"""The application, which says whenever a consumer has left."""

from config.asgi import application  # isort: skip  (sets Django up for the next import)
from realtime.consumer import RealtimeConsumer

__all__ = ["application"]

leave = RealtimeConsumer.leave


async def leave_and_say(self):
    await leave(self)
    print("left", flush=True)


RealtimeConsumer.leave = leave_and_say
