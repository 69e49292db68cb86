"""The application with a bug in it, to see what clients see of one."""

from config.asgi import application  # isort: skip  (sets Django up for the next import)
from realtime.consumer import RealtimeConsumer

__all__ = ["application"]


async def raise_error(consumer, message):
    raise RuntimeError("a bug in ping")


RealtimeConsumer.answers = RealtimeConsumer.answers | {"ping": raise_error}
