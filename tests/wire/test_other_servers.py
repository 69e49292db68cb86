"""The app on ASGI servers that it does not know, and what does not hold there."""

import importlib.util
from uuid import uuid4

import httpx
import pytest
from django.contrib.auth import get_user_model

from api.consumers import broadcast_notification
from classroom import token
from devrealm.accounts import PEOPLE
from devrealm.issue import access_token
from tests.wire.fixtures import layer_on
from tests.wire.servers import free_port, serving

pytestmark = pytest.mark.full

ALICE = PEOPLE["alice"].subject
NOTIFICATIONS = "/ws/notifications/"

COMMANDS = {
    "granian": "granian --interface asginl --host 127.0.0.1 --port {port}",
    "hypercorn": "hypercorn --bind 127.0.0.1:{port}",
}

# A close while a receive is pending does not reach Granian's client (granian#798); it has read
# `connection.closing` by then. What a client sees when the server stops.
CLOSES = {"granian": False, "hypercorn": True}
STOPS_WITH = {"granian": 1006, "hypercorn": 1011}


@pytest.fixture(params=COMMANDS)
async def other(request, environment, redis_port, shared_database):
    name = request.param
    if importlib.util.find_spec(name) is None:
        pytest.skip(f"needs {name}: pip install -e '.[conformance]'")
    command = COMMANDS[name].format(port=free_port()).split()
    redis = {"REDIS_HOST": "127.0.0.1", "REDIS_PORT": str(redis_port)}
    with serving(["-m", *command, "config.asgi:application"], **environment, **redis) as server:
        server.name = name
        async with layer_on(redis_port):
            yield server
        # Granian's worker is a process of its own, which outlives a kill of its parent.
        server.stop()
    log = "".join(server.log)
    # Hypercorn logs a traceback of its own when it is stopped.
    assert "reference_app" not in log, log


async def numbers(client, count):
    return [(await client.receive())["notification"]["n"] for _ in range(count)]


async def test_every_frame_arrives_and_a_client_that_comes_back_misses_none(other, connect):
    alice = await connect(other, NOTIFICATIONS, "alice")
    assert (await alice.receive())["type"] == "connection.established"
    for number in range(20):
        await broadcast_notification(ALICE, {"n": number})
    assert await numbers(alice, 5) == [*range(5)]
    last = await alice.receive()
    await alice.leave()
    back = await connect(other, f"{NOTIFICATIONS}?position={last['position']}", "alice")
    assert (await back.receive())["recovered"] is True
    assert await numbers(back, 14) == [*range(6, 20)]


async def test_user_who_is_disabled_is_told_and_hears_nothing_more(other, connect):
    subject = f"somebody {uuid4()}"
    client = await connect(other, NOTIFICATIONS, token=access_token("alice", sub=subject))
    assert (await client.receive())["type"] == "connection.established"
    user = await get_user_model().objects.aget(token_identities__subject=subject)
    user.is_active = False
    await user.asave()
    closing = await client.receive()
    assert (closing["type"], closing["code"]) == ("connection.closing", 4001)
    if CLOSES[other.name]:
        assert await client.closed() == 4001


async def test_bad_input_and_plain_requests_are_answered(other, connect):
    alice = await connect(other, NOTIFICATIONS, "alice")
    await alice.receive()
    await alice.send("{")
    assert (await alice.receive())["type"] == "error"
    async with httpx.AsyncClient() as http:
        headers = {"Authorization": f"Bearer {token('alice')}"}
        answer = await http.get(f"{other.http}/api/me/", headers=headers)
    assert answer.json()["user_id"] == ALICE


async def test_stop_ends_the_sockets_and_the_process(other, connect):
    alice = await connect(other, NOTIFICATIONS, "alice")
    await alice.receive()
    other.process.terminate()
    assert await alice.closed() == STOPS_WITH[other.name]
