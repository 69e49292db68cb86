"""Who hears what, on each server and each layer; the sender is another process."""

import asyncio
import itertools
import random
import time
from contextlib import ExitStack
from uuid import UUID

import pytest
from websockets.sync.client import connect as connect_sync

from api.consumers import broadcast_notification, broadcast_org_event
from classroom import COURSE_ENDS, token
from demo.people import ORG_ID
from devrealm.accounts import PEOPLE
from devrealm.issue import access_token
from tests.lanes import in_full
from tests.wire.servers import COMMANDS, PATIENCE

ALICE, BOB = PEOPLE["alice"].subject, PEOPLE["bob"].subject
NOTIFICATIONS, EVENTS = "/ws/notifications/", f"/ws/events/{ORG_ID}/"


# Seconds; on Redis the guide's settings lose an idle socket after 5.6.
IDLE = 8


@pytest.fixture(scope="module")
def idle_sockets(start):
    """Return sockets that nobody uses, on each server and layer."""
    query = f"{NOTIFICATIONS}?token={token('mallory')}"
    with ExitStack() as stack:
        sockets = [
            stack.enter_context(connect_sync(start(name, layer).ws + query, proxy=None))
            for name, layer in itertools.product(COMMANDS, ("pubsub", "core"))
        ]
        for socket in sockets:
            assert "connection.established" in socket.recv()
        yield sockets


async def established(client):
    client.greeting = await client.receive()
    assert client.greeting["type"] == "connection.established"
    return client


async def test_notification_reaches_every_socket_of_its_user_only(served, connect):
    tabs = [await established(await connect(served, NOTIFICATIONS, "alice")) for _ in range(2)]
    bob = await established(await connect(served, NOTIFICATIONS, "bob"))
    await broadcast_notification(ALICE, {"title": "For Alice"})
    for tab in tabs:
        frame = await tab.receive()
        assert frame.pop("position").startswith(f"{frame['offset']}.")
        assert frame.pop("offset") == tab.greeting["offset"] + 1
        assert frame == {"type": "notification", "notification": {"title": "For Alice"}}
    await bob.silence()


async def test_event_reaches_every_member_of_its_organization_only(served, connect):
    members = [await established(await connect(served, EVENTS, name)) for name in ("alice", "bob")]
    await broadcast_org_event(UUID(int=7), "user.joined", {"user_id": "elsewhere"})
    await broadcast_org_event(ORG_ID, "user.joined", {"user_id": "here"})
    for member in members:
        frame = await member.receive()
        assert frame.pop("position").startswith(f"{frame['offset']}.")
        assert frame.pop("offset") == member.greeting["offset"] + 1
        assert frame == {"type": "event", "event_type": "user.joined", "data": {"user_id": "here"}}


@pytest.mark.parametrize("spell", [str.upper, lambda org_id: org_id.replace("-", "")])
async def test_any_spelling_of_the_organization_hears_its_events(served, connect, spell):
    path = f"/ws/events/{spell(str(ORG_ID))}/"
    alice = await connect(served, path, "alice")
    assert (await alice.receive())["org_id"] == str(ORG_ID)
    await broadcast_org_event(str(ORG_ID).upper(), "spelled", {})
    assert (await alice.receive())["event_type"] == "spelled"


@pytest.mark.parametrize("subject", ["auth0|abc", "someone@example.com", "Zoë 🦉", "x" * 255])
async def test_any_subject_can_be_notified(served, connect, subject):
    who = access_token("alice", sub=subject, exp=COURSE_ENDS)
    client = await connect(served, NOTIFICATIONS, token=who)
    assert (await client.receive())["user_id"] == subject
    await broadcast_notification(subject, {"title": "Hello"})
    assert (await client.receive())["notification"] == {"title": "Hello"}


async def test_creating_a_resource_tells_the_organization(served, connect):
    bob = await established(await connect(served, EVENTS, "bob"))
    headers = {"Authorization": f"Bearer {token('alice')}"}
    async with served.requests(headers=headers) as http:
        answer = await http.post(f"/api/organizations/{ORG_ID}/resources/", json={"name": "Plan"})
    event = await bob.receive()
    assert event["event_type"] == "resource.created"
    assert event["data"]["resource_id"] == answer.json()["id"]


async def test_user_notifies_oneself_by_rest(served, connect):
    alice = await established(await connect(served, NOTIFICATIONS, "alice"))
    headers = {"Authorization": f"Bearer {token('alice')}"}
    async with served.requests(headers=headers) as http:
        answer = await http.post("/api/me/notifications/", json={"title": "To do"})
    assert answer.status_code == 202
    assert (await alice.receive())["notification"] == {"title": "To do"}


@pytest.mark.parametrize(
    "junk",
    [
        {"type": "websocket.disconnect", "code": 1000},
        {"type": "websocket.close"},
        {"type": "close"},
        {"type": "dispatch"},
        {"type": "layer.lost"},
        {"type": "of.a.newer.release"},
        {"type": "notification.message", "frame": "{}"},
        {"type": "stream.entry"},
        {"type": "stream.entry", "stream": ["s"], "offset": 1, "text": "{}"},
        {"no": "type"},
    ],
    ids=str,
)
async def test_nothing_in_a_group_message_kills_a_socket(served, connect, junk):
    from channels.layers import get_channel_layer

    from api.topics import user_topic

    alice = await established(await connect(served, NOTIFICATIONS, "alice"))
    await get_channel_layer().group_send(user_topic.stream(ALICE), junk)
    await broadcast_notification(ALICE, {"title": "Still here"})
    assert (await alice.receive())["notification"] == {"title": "Still here"}


@pytest.mark.parametrize("seed", [1, *in_full([2])])
async def test_users_and_organizations_stay_apart_under_random_interleaving(served, connect, seed):
    """Ten senders at once, to two users and one organization: each hears all of its own."""
    chance = random.Random(seed)
    alice = await established(await connect(served, NOTIFICATIONS, "alice"))
    bob = await established(await connect(served, NOTIFICATIONS, "bob"))
    member = await established(await connect(served, EVENTS, "bob"))
    sent = {alice: [], bob: [], member: []}

    async def send(number):
        reader = chance.choice([alice, bob, member])
        sent[reader].append(number)
        if reader is member:
            await broadcast_org_event(ORG_ID, "number", {"n": number})
        else:
            await broadcast_notification(ALICE if reader is alice else BOB, {"n": number})

    for start in range(0, 60, 10):
        await asyncio.gather(*(send(number) for number in range(start, start + 10)))
    for reader, numbers in sent.items():
        frames = [await reader.receive() for _ in numbers]
        heard = [(frame.get("notification") or frame.get("data"))["n"] for frame in frames]
        assert sorted(heard) == numbers
        await reader.silence()


async def test_client_that_comes_back_reads_what_it_missed_in_order(served, connect):
    alice = await established(await connect(served, NOTIFICATIONS, "alice"))
    position = f"?position={alice.greeting['position']}"
    await alice.leave()
    for number in range(3):
        await broadcast_notification(ALICE, {"n": number})
    back = await established(await connect(served, NOTIFICATIONS + position, "alice"))
    assert back.greeting["recovered"] is True
    await broadcast_notification(ALICE, {"n": 3})
    frames = [await back.receive() for _ in range(4)]
    assert [frame["notification"]["n"] for frame in frames] == [0, 1, 2, 3]
    first = alice.greeting["offset"] + 1
    assert [frame["offset"] for frame in frames] == [*range(first, first + 4)]


@pytest.mark.parametrize(
    "seconds",
    [pytest.param(IDLE, marks=pytest.mark.full), pytest.param(300, marks=pytest.mark.long)],
)
def test_idle_socket_on_real_redis_stays_open(idle_sockets, seconds):
    end = time.monotonic() + seconds
    for socket in idle_sockets:
        with pytest.raises(TimeoutError):
            socket.recv(timeout=max(0.01, end - time.monotonic()))
    for socket in idle_sockets:
        socket.send('{"type": "ping", "timestamp": 1}')
        assert "pong" in socket.recv(timeout=PATIENCE)
