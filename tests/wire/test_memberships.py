"""Memberships of the core layer, which Redis forgets by the time of joining."""

import pytest

from api.consumers import broadcast_org_event
from api.topics import organization_topic
from demo.people import ORG_ID
from tests.wire.fixtures import layer_on
from tests.wire.parts import AppServer
from tests.wire.servers import eventually
from tests.wire.variants.memberships_of_three_seconds import GROUP_EXPIRY

pytestmark = pytest.mark.full

# Tried once with a hundred, which takes three minutes.
ROUNDS = 5

EVENTS = f"/ws/events/{ORG_ID}/"


@pytest.fixture
async def forgetful(environment, redis_port, redis, shared_database):
    """A server whose memberships are short, on the core layer; what it leaves is taken away."""
    settings = {
        "DJANGO_SETTINGS_MODULE": "tests.wire.variants.memberships_of_three_seconds",
        "REDIS_HOST": "127.0.0.1",
        "REDIS_PORT": str(redis_port),
        "CHANNEL_LAYER": "core",
        "REALTIME_TAIL_CHECK_SECONDS": "1",
    }
    await redis.flushdb()
    server = AppServer("realtime.server", "config.asgi:application", **environment | settings)
    async with layer_on(redis_port, "core") as layer:
        layer.group_expiry = GROUP_EXPIRY  # whoever sends is who takes dead members away
        yield server
    server.kill()
    await redis.flushdb()


async def members(redis) -> dict[str, float]:
    """Return who is in the group of the organization's stream, and since when."""
    return dict(
        await redis.zrange(
            f"asgi:group:{organization_topic.stream(ORG_ID)}", 0, -1, withscores=True
        )
    )


async def test_socket_that_stays_is_a_member_for_longer_than_a_membership_lasts(
    forgetful, connect, redis
):
    forgetful.start()
    client = await connect(forgetful.life, EVENTS, "alice")
    assert (await client.receive())["type"] == "connection.established"
    [(channel, joined_at)] = (await members(redis)).items()

    async def is_renewed():
        return (await members(redis)).get(channel, 0) > joined_at + GROUP_EXPIRY

    await eventually(is_renewed)
    await broadcast_org_event(ORG_ID, "still.here", {})
    assert (await client.receive())["event_type"] == "still.here"


async def test_servers_that_are_killed_leave_nothing_for_longer_than_a_membership_lasts(
    forgetful, connect, redis
):
    left = set()
    for _ in range(ROUNDS):
        forgetful.start()
        client = await connect(forgetful.life, EVENTS, "alice")
        assert (await client.receive())["type"] == "connection.established"
        left |= (await members(redis)).keys()
        forgetful.kill()
    assert len(left) == ROUNDS
    forgetful.start()
    client = await connect(forgetful.life, EVENTS, "alice")
    assert (await client.receive())["type"] == "connection.established"
    [mine] = (await members(redis)).keys() - left

    async def only_mine():
        await broadcast_org_event(ORG_ID, "anyone", {})
        assert (await client.receive())["event_type"] == "anyone"
        return (await members(redis)).keys() == {mine}

    await eventually(only_mine)
