"""The default channel layer of this process, changed for a while."""

import contextlib

from channels.layers import channel_layers

from realtime.layer import sending_loop


@contextlib.asynccontextmanager
async def default_layer(layer):
    """Make a layer this process's default, and close its connections in the end."""
    usual = channel_layers["default"]
    channel_layers.set("default", layer)
    try:
        yield
    finally:
        # The sending loop uses the layer, so it stops first.
        sending_loop.sending_loop.stop()
        close = getattr(layer, "close_pools", layer.flush)  # the Pub/Sub layer has flush only
        await close()
        channel_layers.set("default", usual)
