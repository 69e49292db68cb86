"""The core layer over a Redis in process, when a socket leaves it."""

import asyncio
from contextlib import suppress

import pytest
from channels.layers import get_channel_layer

pytestmark = [
    pytest.mark.usefixtures("layer"),
    pytest.mark.parametrize("layer", ["core"], indirect=True),
]


async def test_read_of_a_socket_that_left_takes_no_message_of_the_next():
    layer = get_channel_layer()
    left, stays = [await layer.new_channel() for _ in range(2)]
    reading = asyncio.create_task(layer.receive(left))
    assert not (await asyncio.wait({reading}, timeout=0.05))[0]
    reading.cancel()
    await asyncio.wait({reading})
    await layer.send(stays, {"type": "for.the.next"})
    async with asyncio.timeout(2):
        assert await layer.receive(stays) == {"type": "for.the.next"}


async def test_cancellation_that_the_client_swallows_ends_the_read(monkeypatch):
    layer, asked = get_channel_layer(), asyncio.Event()

    class SwallowingClient:
        async def zcard(self, key):
            if not asked.is_set():
                asked.set()
                with suppress(asyncio.CancelledError):
                    await asyncio.Event().wait()

    monkeypatch.setattr(layer, "connection", lambda index: SwallowingClient())
    reading = asyncio.create_task(layer.receive(await layer.new_channel()))
    await asked.wait()
    reading.cancel()
    ended, _ = await asyncio.wait({reading}, timeout=2)
    reading.cancel()  # for the end of a test that fails
    assert ended
