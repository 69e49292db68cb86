"""What happens when the part under the layer is out of reach, or dies."""

from uuid import uuid4

import pytest

from api.consumers import broadcast_notification
from api.models import Organization
from api.topics import organization_topic, user_topic
from classroom import token
from demo.people import ORG_ID
from devrealm.accounts import PEOPLE
from realtime.protocol.close_codes import CloseCode
from tests.wire.fixtures import layer_on
from tests.wire.servers import COMMANDS, eventually, free_port, real_redis, serving

NOTIFICATIONS = "/ws/notifications/"
ALICE = PEOPLE["alice"].subject


@pytest.fixture(scope="module")
def out_of_reach(environment):
    """A server whose Redis is not there."""
    settings = {"REDIS_HOST": "127.0.0.1", "REDIS_PORT": str(free_port())}
    command = [*COMMANDS["realtime.server"], "config.asgi:application"]
    with serving(command, **environment, **settings) as it:
        yield it


async def test_broadcast_without_redis_does_not_fail_the_request(out_of_reach):
    headers = {"Authorization": f"Bearer {token('alice')}"}
    async with out_of_reach.requests(headers=headers) as http:
        notified = await http.post("/api/me/notifications/", json={"title": "Hello"})
        created = await http.post(f"/api/organizations/{ORG_ID}/resources/", json={"name": "Plan"})
    assert (notified.status_code, created.status_code) == (202, 201)
    await out_of_reach.logs("was not sent")
    assert not any("Traceback" in line for line in out_of_reach.log)


async def test_socket_without_redis_reads_4104_and_may_come_back(out_of_reach, connect):
    alice = await connect(out_of_reach, NOTIFICATIONS, "alice")
    closing = await alice.receive()
    assert (closing["code"], closing["reconnect"]) == (CloseCode.UNAVAILABLE, True)
    assert await alice.closed() == 4104


@pytest.mark.full
@pytest.mark.parametrize("layer", ["pubsub", "core"])
async def test_socket_outlives_its_redis(environment, connect, layer, shared_database):
    """Nobody is closed, and what is sent while there is none arrives all the same."""
    with real_redis() as port:
        settings = {"REDIS_HOST": "127.0.0.1", "REDIS_PORT": str(port), "CHANNEL_LAYER": layer}
        command = [*COMMANDS["daphne"], "config.asgi:application"]
        with serving(command, **environment, **settings, REALTIME_TAIL_CHECK_SECONDS="1") as server:
            alice = await connect(server, NOTIFICATIONS, "alice")
            assert (await alice.receive())["type"] == "connection.established"
            await shut_down(port)
            async with layer_on(port, layer):
                await broadcast_notification(ALICE, {"title": "Without Redis"})
            assert (await alice.receive())["notification"] == {"title": "Without Redis"}


async def shut_down(port):
    from redis.asyncio import Redis

    async with Redis(host="127.0.0.1", port=port) as redis:
        await redis.shutdown(nosave=True, now=True)


async def members(redis, group) -> int:
    """Return how many channels are in a group, on either layer."""
    core = await redis.zcard(f"asgi:group:{group}")
    ((_, pubsub),) = await redis.pubsub_numsub(f"asgi__group__{group}")
    return core + pubsub


async def test_twenty_clients_that_send_garbage_and_vanish_leave_no_membership(
    served, connect, redis
):
    group = user_topic.stream(ALICE)
    clients = [await connect(served, NOTIFICATIONS, "alice") for _ in range(20)]
    for client in clients:
        await client.receive()
    assert await members(redis, group) > 0
    for client in clients:
        await client.send("{garbage")
        client.socket.transport.abort()
    await eventually(lambda: nobody_in(redis, group))


async def nobody_in(redis, group) -> bool:
    return await members(redis, group) == 0


async def test_refused_socket_joins_nothing(served, connect, redis):
    organization = await Organization.objects.acreate(id=uuid4(), name="Nobody's")
    mallory = await connect(served, f"/ws/events/{organization.id}/", "mallory")
    assert (await mallory.receive())["code"] == CloseCode.FORBIDDEN
    assert await members(redis, organization_topic.stream(organization.id)) == 0
