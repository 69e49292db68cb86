"""What a client may say: each limit at its boundary, and a new token in band."""

import asyncio
import json

import pytest
import pytest_asyncio
from django.contrib.auth import get_user_model
from django.db import OperationalError

from ..authority.registry import registry
from ..authority.users import end_session
from ..conf import conf
from ..protocol.close_codes import CloseCode
from ..sockets import connection
from ..testing.tokens import THROW_AWAY_ISSUER, access_token
from .project import ALICE, OWN, OwnConsumer, established

pytestmark = [
    pytest.mark.usefixtures("people", "layer"),
    pytest.mark.parametrize("layer", ["pubsub"], indirect=True),
]


@pytest_asyncio.fixture
async def alice(people, layer):
    async with established(OWN, "alice") as client:
        yield client


def ping_of(size: int, fill: str = "x") -> str:
    """Return a ping of so many bytes in UTF-8."""
    frame = json.dumps({"type": "ping", "timestamp": ""})
    filled, rest = divmod(size - len(frame), len(fill.encode()))
    return frame[:-2] + fill * filled + " " * rest + frame[-2:]


@pytest.mark.parametrize("fill", ["x", "é", "🦉"])
@pytest.mark.parametrize(("over", "answer"), [(-1, "pong"), (0, "pong"), (1, "error")])
async def test_message_has_at_most_64_kib(alice, fill, over, answer):
    text = ping_of(65_536 + over, fill)
    assert len(text.encode()) == 65_536 + over
    await alice.send_to(text)
    frame = await alice.receive()
    assert frame["type"] == answer
    assert frame.get("code") == ("too_large" if over > 0 else None)


async def test_burst_is_answered_and_one_more_is_4113(settings, people, layer):
    settings.REALTIME_MESSAGES_PER_MINUTE = 1
    async with established(OWN, "alice") as alice:
        for _ in range(conf.MESSAGE_BURST):
            await alice.send({"type": "ping"})
            assert (await alice.receive())["type"] == "pong"
        await alice.send({"type": "ping"})
        closing = await alice.receive()
        assert (closing["code"], closing["reconnect"]) == (CloseCode.RATE_LIMITED, True)
        assert closing["retry_after_ms"] == conf.MESSAGE_BURST * 60_000
        assert await alice.closed() == CloseCode.RATE_LIMITED
        await alice.send({"type": "ping"})
        assert await alice.receive_nothing()


@pytest.mark.parametrize("bad", ["{", '{"type": "new"}', b"", "x" * 70_000])
async def test_errors_in_a_row_are_4509_and_one_fewer_are_not(settings, alice, bad):
    settings.REALTIME_MAX_ERRORS = 3
    kind = "bytes" if isinstance(bad, bytes) else "text"
    for _ in range(2):
        await alice.send_input({"type": "websocket.receive", kind: bad})
        assert (await alice.receive())["type"] == "error"
    await alice.send({"type": "ping"})
    assert (await alice.receive())["type"] == "pong"
    for _ in range(3):
        await alice.send_input({"type": "websocket.receive", kind: bad})
        assert (await alice.receive())["type"] == "error"
    closing = await alice.receive()
    assert (closing["code"], closing["reconnect"]) == (CloseCode.TOO_MANY_ERRORS, False)
    assert await alice.closed() == CloseCode.TOO_MANY_ERRORS


async def test_new_token_of_the_same_user_goes_on(alice):
    await alice.send({"type": "token.refresh", "token": access_token("alice", exp=4_102_444_800)})
    assert await alice.receive() == {
        "type": "token.refreshed",
        "expires_at": "2100-01-01T00:00:00+00:00",
    }
    assert alice.greeting["expires_at"] != "2100-01-01T00:00:00+00:00"


REFUSED = {
    "another user's": (lambda: access_token("bob"), "token_refused", "another user's"),
    "expired": (lambda: access_token("alice", lifespan=-60), "token_refused", "has expired"),
    "an ID token": (lambda: access_token("alice", typ="ID"), "token_refused", "access token"),
    "empty": (lambda: "", "token_refused", "no access token"),
    "garbage": (lambda: "garbage", "token_refused", "is malformed"),
    "half a character": (lambda: "\ud800", "token_refused", "is malformed"),
    "a number": (lambda: 7, "malformed", "string"),
    "missing": (lambda: None, "malformed", "string"),
}


@pytest.mark.parametrize(("token", "code", "words"), REFUSED.values(), ids=REFUSED)
async def test_token_that_is_no_good_leaves_the_old_one_in_force(alice, token, code, words):
    await alice.send({"type": "token.refresh", "token": token()})
    complaint = await alice.receive()
    assert (complaint["type"], complaint["code"]) == ("error", code)
    assert words in complaint["message"]
    await alice.send({"type": "ping"})
    assert (await alice.receive())["type"] == "pong"


async def assert_not_judged_and_the_old_token_in_force(alice, expected):
    """However often it is asked: it is not the client's mistake."""
    access = [socket.access for socket in registry().everyone()]
    for _ in range(expected):
        await alice.send({"type": "token.refresh", "token": access_token("alice", sid="new")})
        complaint = await alice.receive()
        assert (complaint["type"], complaint["code"]) == ("error", "unavailable")
    assert [socket.access for socket in registry().everyone()] == access
    await alice.send({"type": "ping"})
    assert (await alice.receive())["type"] == "pong"


async def test_token_whose_keys_are_out_of_reach_is_not_judged(settings, alice):
    settings.REALTIME_MAX_ERRORS = 3
    out_of_reach = {"KEYS_URL": "http://127.0.0.1:9/certs", "KEY_CLIENT": ""}
    settings.REALTIME_ISSUER = THROW_AWAY_ISSUER | out_of_reach
    await assert_not_judged_and_the_old_token_in_force(alice, 5)


async def away(access):
    raise OperationalError("gone")


async def hanging(access):
    await asyncio.Event().wait()


@pytest.mark.parametrize("answer_of", [away, hanging])
async def test_token_is_not_judged_while_the_database_is_away(
    settings, alice, answer_of, monkeypatch
):
    settings.REALTIME_CONNECT_SECONDS, settings.REALTIME_MAX_ERRORS = 0.1, 3
    monkeypatch.setattr(connection, "answer_of", answer_of)
    await assert_not_judged_and_the_old_token_in_force(alice, 5)


async def test_change_while_a_token_could_not_be_judged_is_noticed(settings, alice, monkeypatch):
    """In that time the socket was registered by what the new token claims."""
    monkeypatch.setattr(connection, "answer_of", away)
    user = get_user_model()._default_manager.filter(token_identities__subject=ALICE)
    await user.aupdate(is_active=False)  # announces nothing
    await alice.send({"type": "token.refresh", "token": access_token("alice")})
    assert (await alice.receive())["code"] == "unavailable"
    assert (await alice.receive())["code"] == CloseCode.UNAUTHORIZED


async def test_new_token_of_a_session_that_was_signed_out_is_4001(alice):
    from asgiref.sync import sync_to_async

    await sync_to_async(end_session)("over")
    await alice.send({"type": "token.refresh", "token": access_token("alice", sid="over")})
    closing = await alice.receive()
    assert (closing["code"], closing["reason"]) == (4001, "The session was signed out.")
    assert await alice.closed() == CloseCode.UNAUTHORIZED


async def test_message_that_a_project_adds_is_answered(monkeypatch, people, layer):
    async def echo(consumer, message):
        await consumer.send_json({"type": "echo", "text": message["text"]})

    answers = OwnConsumer.answers | {"echo": echo}
    monkeypatch.setattr(OwnConsumer, "answers", answers)
    async with established(OWN, "alice") as alice:
        await alice.send({"type": "echo", "text": "Hello?"})
        assert await alice.receive() == {"type": "echo", "text": "Hello?"}
        await alice.send({"type": "ping"})
        assert (await alice.receive())["type"] == "pong"
