import asyncio

import pytest
from channels.exceptions import ChannelFull
from channels.layers import get_channel_layer
from django.db import OperationalError
from redis.exceptions import ConnectionError as RedisConnectionError

from ..concurrency.batched_query import BatchedQuery
from ..layer import timeouts as timeouts_module
from ..protocol.close_codes import CloseCode
from ..protocol.groups import ACCESS_GROUP
from ..sockets import connection as connection_module
from .project import ALICE, OF_TEAM, OWN, TEAM, OwnConsumer, established, notify, own_topic, socket

pytestmark = pytest.mark.usefixtures("people", "layer")

# Cancelling a read of the core layer in process waits the read out, 5 s.
ON_PUBSUB = pytest.mark.parametrize("layer", ["pubsub"], indirect=True)


async def test_greeting_has_the_contracts_keys():
    keys = {"type", "message", "user_id", "expires_at", "offset", "position", "recovered"}
    async with established(OWN, "alice") as alice:
        assert set(alice.greeting) == keys
    async with established(OF_TEAM, "alice") as alice:
        assert set(alice.greeting) == keys | {"team_id"}
        assert (alice.greeting["user_id"], alice.greeting["team_id"]) == (ALICE, str(TEAM))


async def test_anonymous_is_accepted_told_and_closed_4001():
    async with socket(OWN) as nobody:
        closing = await nobody.receive()
        assert (closing["type"], closing["code"]) == ("connection.closing", 4001)
        assert await nobody.receive_output() == {
            "type": "websocket.close",
            "code": CloseCode.UNAUTHORIZED,
            "reason": closing["reason"],
        }
        assert await nobody.receive_nothing()


async def test_refused_socket_answers_nothing_and_joins_nothing(monkeypatch, layer):
    joined = []
    monkeypatch.setattr(layer, "group_add", noting(joined, layer.group_add), raising=False)
    async with socket(OF_TEAM, "mallory") as mallory:
        await mallory.receive()
        await mallory.closed()
        await mallory.send({"type": "ping"})
        assert await mallory.receive_nothing()
    assert set(joined) == {ACCESS_GROUP}  # the process's, not the socket's


async def test_foreign_unknown_and_impossible_keys_are_refused_alike():
    frames = []
    for key in (TEAM, "00000000-0000-4000-8000-00000000dead", "no-uuid"):
        async with socket(f"/ws/teams/{key}/", "mallory") as mallory:
            frames.append(await mallory.receive())
            assert await mallory.closed() == CloseCode.FORBIDDEN
    assert frames[0] == frames[1] == frames[2]


async def test_offered_subprotocol_is_selected_and_never_the_token():
    offered = ["bearer.x", "realtime.v1"]
    async with socket(OWN, subprotocols=offered) as client:
        assert client.selected == "realtime.v1"
    async with socket(OWN, subprotocols=["bearer.x"]) as client:
        assert client.selected is None


@ON_PUBSUB
@pytest.mark.parametrize("timestamp", ["2025-01-15T10:30:00Z", 7, 7.5, None, True, "\ud800"])
async def test_ping_is_answered_with_its_timestamp(timestamp):
    async with established(OWN, "alice") as alice:
        await alice.send({"type": "ping", "timestamp": timestamp})
        assert await alice.receive() == {"type": "pong", "timestamp": timestamp}


@ON_PUBSUB
@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("{", "malformed"),
        ("[]", "malformed"),
        ('{"type": "ping", "timestamp": []}', "malformed"),
        ('{"type": "notification"}', "unknown_type"),
        ("", "malformed"),
        (b"", "malformed"),
        (b'{"type": "ping"}', "malformed"),
        ('{"type": 7}', "malformed"),
        ('{"type": "ping", "timestamp": NaN}', "malformed"),
        ('{"type": "ping", "timestamp": 1e999}', "malformed"),
        ("9" * 5000, "malformed"),
        ("[" * 60_000, "malformed"),
        ("[" * 100_000, "too_large"),
    ],
    ids=lambda text: repr(text[:12]),
)
async def test_bad_message_is_answered_with_an_error(text, code):
    async with established(OWN, "alice") as alice:
        kind = "bytes" if isinstance(text, bytes) else "text"
        await alice.send_input({"type": "websocket.receive", kind: text})
        complaint = await alice.receive()
        assert (complaint["type"], complaint["code"]) == ("error", code)
        await alice.send({"type": "ping"})
        assert (await alice.receive())["type"] == "pong"


@ON_PUBSUB
@pytest.mark.parametrize(
    "junk",
    [
        {"type": "websocket.disconnect", "code": 1000},
        {"type": "close"},
        {"type": "layer.lost"},
        {"type": "send.error"},
        {"type": "notification.message", "frame": "{}"},
        {"type": "stream.entry"},
        {"type": "stream.entry", "stream": [], "offset": 1, "text": "{}"},
        {"type": ["stream.entry"]},
        {},
    ],
    ids=str,
)
async def test_no_group_message_kills_the_socket(junk):
    async with established(OWN, "alice") as alice:
        await get_channel_layer().group_send(own_topic.stream(ALICE), junk)
        assert await alice.receive_nothing()
        await alice.send({"type": "ping"})
        assert (await alice.receive())["type"] == "pong"


@ON_PUBSUB
@pytest.mark.parametrize("junk", [[], "notification.message", None], ids=str)
async def test_group_message_that_is_no_mapping_is_ignored(junk):
    async with established(OWN, "alice") as alice:
        await get_channel_layer().group_send(own_topic.stream(ALICE), junk)
        await alice.send({"type": "ping"})
        assert (await alice.receive())["type"] == "pong"
        assert await alice.receive_nothing()


@ON_PUBSUB
async def test_membership_ends_with_the_connection(layer):
    async with established(OWN, "alice"):
        assert len(layer.groups) == 2  # the user's, and the process's
    assert not layer.groups


@ON_PUBSUB
async def test_bug_is_told_as_1011_and_leaves_no_membership(monkeypatch, layer):
    left, told = [], []
    monkeypatch.setattr(OwnConsumer, "answers", {"ping": fail})
    monkeypatch.setattr(layer, "group_discard", noting(left, layer.group_discard), raising=False)
    with pytest.raises(RuntimeError, match="a bug"):
        async with established(OWN, "alice") as alice:
            await alice.send({"type": "ping"})
            # At the next read the communicator raises, so both are taken in one go.
            told = [await alice.receive(), alice.output_queue.get_nowait()]
    closing, close = told
    assert (closing["type"], closing["code"]) == ("connection.closing", CloseCode.INTERNAL_ERROR)
    assert (close["type"], close["code"]) == ("websocket.close", CloseCode.INTERNAL_ERROR)
    assert not layer.groups
    assert set(left) == {ACCESS_GROUP, own_topic.stream(ALICE)}


async def fail(consumer, message):
    raise RuntimeError("a bug")


def noting(notes, method):
    async def call(group, channel):
        notes.append(group)
        await method(group, channel)

    return call


@ON_PUBSUB
@pytest.mark.parametrize("broken", ["new_channel", "group_add"])
@pytest.mark.parametrize("error", [ConnectionRefusedError, RedisConnectionError, ChannelFull])
async def test_layer_out_of_reach_is_4104_and_not_4001(monkeypatch, layer, broken, error):
    async def refuse(*args):
        raise error("no Redis")

    monkeypatch.setattr(layer, broken, refuse, raising=False)
    async with socket(OWN, "alice") as alice:
        assert (await alice.receive())["code"] == CloseCode.UNAVAILABLE
        assert await alice.closed() == CloseCode.UNAVAILABLE


@ON_PUBSUB
async def test_group_that_cannot_be_left_is_logged_and_no_crash(monkeypatch, layer, caplog):
    async def refuse(*args):
        raise ConnectionResetError("Redis died")

    async with established(OWN, "alice"):
        monkeypatch.setattr(layer, "group_discard", refuse, raising=False)
    assert "A group could not be left" in caplog.text


async def test_socket_outlives_its_layer_and_hears_what_was_sent_meanwhile(
    monkeypatch, settings, layer, caplog
):
    settings.REALTIME_TAIL_CHECK_SECONDS = 0.2
    died = asyncio.Event()

    async def receive(channel):
        await died.wait()
        raise ConnectionResetError("Redis died")

    monkeypatch.setattr(layer, "receive", receive, raising=False)
    async with established(OWN, "alice") as alice:
        died.set()
        await notify(7)
        assert (await alice.receive())["n"] == 7
    assert (
        "Channel layer unavailable, and tried again in 1 s: ConnectionResetError('Redis died')"
        in caplog.text
    )


async def test_database_out_of_reach_is_4104(monkeypatch):
    def fail(authorities):
        raise OperationalError("no such host")

    monkeypatch.setattr(connection_module, "answer_of", BatchedQuery(fail))
    async with socket(OF_TEAM, "alice") as alice:
        assert (await alice.receive())["code"] == CloseCode.UNAVAILABLE


@ON_PUBSUB
async def test_leaving_a_layer_that_hangs_is_given_up(monkeypatch, layer, caplog):
    async def hang(group, channel):
        await asyncio.Event().wait()

    monkeypatch.setattr(timeouts_module, "LAYER_TIMEOUT", 0.05)
    async with asyncio.timeout(4):
        async with established(OWN, "alice"):
            monkeypatch.setattr(layer, "group_discard", hang, raising=False)
    assert "A group could not be left in time: TimeoutError()" in caplog.text


@ON_PUBSUB
async def test_joining_a_layer_that_hangs_is_4104_in_time(settings, monkeypatch, layer):
    async def hang(group, channel):
        await asyncio.Event().wait()

    settings.REALTIME_CONNECT_SECONDS = 0.2
    monkeypatch.setattr(layer, "group_add", hang, raising=False)
    async with socket(OWN, "alice") as alice:
        closing = await alice.receive()
        assert (closing["code"], closing["reconnect"]) == (CloseCode.UNAVAILABLE, True)
        assert await alice.closed() == CloseCode.UNAVAILABLE
