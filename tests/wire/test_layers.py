"""What happens when the part under the layer idles, is out of reach, or dies."""

import itertools
import time
from contextlib import ExitStack

import httpx
import pytest
from websockets.sync.client import connect as connect_sync

from api.close_codes import CloseCode
from api.groups import user_group
from classroom import token
from devrealm.people import ORG_ID, PEOPLE
from tests.wire.servers import COMMANDS, eventually, free_port, real_redis, serving

NOTIFICATIONS = "/ws/notifications/"
ALICE = PEOPLE["alice"].subject

# Seconds; the guide's settings lose an idle socket after six.
IDLE = 30


@pytest.fixture(scope="session")
def private_redis():
    """A real Redis, for what fakeredis cannot show."""
    with real_redis() as port:
        yield port


@pytest.fixture(scope="module")
def idle_sockets(private_redis, start):
    """Sockets opened before the first test here, on each server and layer, that nobody uses."""
    query = f"{NOTIFICATIONS}?token={token('mallory')}"
    with ExitStack() as stack:
        sockets = [
            stack.enter_context(connect_sync(start(name, layer).ws + query, proxy=None))
            for name, layer in itertools.product(COMMANDS, ("pubsub", "core"))
        ]
        for socket in sockets:
            assert "connection.established" in socket.recv()
        yield sockets, time.monotonic()


@pytest.fixture(scope="module")
def out_of_reach(environment):
    """A server whose Redis is not there."""
    settings = {"REDIS_HOST": "127.0.0.1", "REDIS_PORT": str(free_port())}
    with serving([*COMMANDS["daphne"], "config.asgi:application"], **environment, **settings) as it:
        yield it


@pytest.mark.usefixtures("idle_sockets")
async def test_broadcast_without_redis_does_not_fail_the_request(out_of_reach):
    headers = {"Authorization": f"Bearer {token('alice')}"}
    async with httpx.AsyncClient(base_url=out_of_reach.http, headers=headers) as http:
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


async def test_socket_whose_core_layer_dies_reads_4104(environment, connect):
    with real_redis() as port:
        settings = {"REDIS_HOST": "127.0.0.1", "REDIS_PORT": str(port), "CHANNEL_LAYER": "core"}
        command = [*COMMANDS["daphne"], "config.asgi:application"]
        with serving(command, **environment, **settings) as server:
            alice = await connect(server, NOTIFICATIONS, "alice")
            assert (await alice.receive())["type"] == "connection.established"
            await shut_down(port)
            assert (await alice.receive())["code"] == CloseCode.UNAVAILABLE
            assert await alice.closed() == CloseCode.UNAVAILABLE


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
    group = user_group(ALICE)
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


@pytest.mark.parametrize("layer", ["pubsub", "core"])
async def test_refused_socket_joins_nothing(start, layer, connect, redis):
    server = start("daphne", layer)
    mallory = await connect(server, f"/ws/events/{ORG_ID}/", "mallory")
    assert (await mallory.receive())["code"] == CloseCode.FORBIDDEN
    assert await redis.keys("asgi:group:org.*") == []
    assert await redis.pubsub_channels("asgi__group__org.*") == []


async def test_idle_socket_on_real_redis_stays_open(idle_sockets):
    sockets, since = idle_sockets
    for socket in sockets:
        with pytest.raises(TimeoutError):
            socket.recv(timeout=max(0.01, since + IDLE - time.monotonic()))
    for socket in sockets:
        socket.send('{"type": "ping", "timestamp": 1}')
        assert "pong" in socket.recv(timeout=IDLE)
