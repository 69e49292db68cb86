"""Channel layers in the process of a test."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from channels.layers import BaseChannelLayer, channel_layers
from django.utils.module_loading import import_string

from ..layer import embedded, sending_loop

# The real layers of channels_redis, over a Redis in process.
BACKENDS = {
    "pubsub": "channels_redis.pubsub.RedisPubSubChannelLayer",
    "core": f"{embedded.__name__}.EmbeddedRedisChannelLayer",
}


def layer_in_process(kind: str = "pubsub") -> BaseChannelLayer:
    """Return a new layer, `pubsub` or `core`.

    Its Redis is fakeredis, which the core layer needs as `fakeredis[lua]`.
    """
    import fakeredis

    connection = {
        "connection_class": fakeredis.FakeAsyncRedisConnection,
        "server": fakeredis.FakeServer(),
    }
    more = {"capacity": 10_000} if kind == "core" else {}
    return import_string(BACKENDS[kind])(hosts=[connection], **more)


@asynccontextmanager
async def default_layer(layer: BaseChannelLayer) -> AsyncIterator[None]:
    """Make a layer this process's default, and close its connections in the end."""
    usual = channel_layers.set("default", layer)
    try:
        yield
    finally:
        # The sending loop uses the layer, so it stops first.
        sending_loop.sending_loop.stop()
        close = getattr(layer, "close_pools", layer.flush)  # the Pub/Sub layer has flush only
        await close()
        if usual is None:
            del channel_layers.backends["default"]
        else:
            channel_layers.set("default", usual)
