"""A crowd of sockets, when `realtime.server` is stopped."""

import asyncio
from collections import Counter

import pytest
from redis.asyncio import Redis

from tests.bench.contenders import reference
from tests.bench.orders import ask
from tests.bench.scenarios import EVENTS_PATH, NOTIFICATIONS_PATH
from tests.bench.stand import House, Stand

CLIENTS = 500

pytestmark = pytest.mark.full


@pytest.mark.parametrize(
    ("layer", "path"),
    [
        pytest.param("pubsub", EVENTS_PATH, id="one stream on pubsub"),
        pytest.param("core", NOTIFICATIONS_PATH, id="many on core", marks=pytest.mark.long),
    ],
)
async def test_stop_tells_500_sockets_and_lets_all_of_them_leave(tmp_path, layer, path):
    house = House(tmp_path, CLIENTS)
    house.build()
    counted = {"SERVED": "tests.wire.variants.says_who_left:application"}
    async with Stand(house, reference("realtime.server", layer), **counted) as stand:
        await stand.open(CLIENTS, path)
        server = stand.server.life
        server.process.terminate()
        codes = (await ask(stand.crowd, "closed"))["codes"]
        assert Counter(codes) == {1012: CLIENTS}
        assert await asyncio.to_thread(server.process.wait, 30) == 0
        server.reading.join()
        assert server.log.count("left\n") == CLIENTS
        async with Redis(host="127.0.0.1", port=stand.redis.port) as redis:
            assert await redis.keys("*") == []
            assert await redis.pubsub_channels("*") == []
