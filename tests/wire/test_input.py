"""What a client may send, on each server: nothing kills the socket."""

import pytest

from realtime.protocol.close_codes import CloseCode
from tests.wire.servers import COMMANDS, serving

BAD_INPUT = {
    "no JSON": "How are you?",
    "a list": "[]",
    "a number": "7",
    "a string": '"ping"',
    "null": "null",
    "empty": "",
    "binary": b"\x00\x01",
    "empty binary": b"",
    "5,000 digits": '{"type": "ping", "timestamp": ' + "9" * 5000 + "}",
    "deep": "[" * 60_000,
    "too large": "[" * 100_000,
    "NaN": '{"type": "ping", "timestamp": NaN}',
    "infinity": '{"type": "ping", "timestamp": 1e999}',
    "no type": "{}",
    "type is a list": '{"type": []}',
    "unknown type": '{"type": "websocket.disconnect"}',
    "private method": '{"type": "__init__"}',
    "object as timestamp": '{"type": "ping", "timestamp": {}}',
}


@pytest.mark.parametrize("bad", BAD_INPUT.values(), ids=BAD_INPUT)
async def test_bad_input_gets_an_error_and_the_socket_lives(server, connect, bad):
    alice = await connect(server, "/ws/notifications/", "alice")
    assert (await alice.receive())["type"] == "connection.established"
    await alice.send(bad)
    complaint = await alice.receive()
    assert complaint["type"] == "error"
    assert complaint["code"] in ("malformed", "unknown_type", "too_large")
    assert complaint["message"].endswith(".")
    await alice.send({"type": "ping", "timestamp": "still here"})
    assert await alice.receive() == {"type": "pong", "timestamp": "still here"}


@pytest.mark.parametrize("timestamp", ["2025-01-15T10:30:00Z", 1736937000.25, None, "Zoë 🦉"])
async def test_pong_brings_the_timestamp_as_it_was_sent(server, connect, timestamp):
    alice = await connect(server, "/ws/notifications/", "alice")
    await alice.receive()
    await alice.send({"type": "ping", "timestamp": timestamp})
    assert await alice.receive() == {"type": "pong", "timestamp": timestamp}


@pytest.mark.full
@pytest.mark.parametrize("name", COMMANDS)
async def test_bug_of_ours_says_1011_and_that_coming_back_may_help(name, environment, connect):
    with serving(
        [*COMMANDS[name], "tests.wire.variants.ping_raises:application"], **environment
    ) as server:
        alice = await connect(server, "/ws/notifications/", "alice")
        await alice.receive()
        await alice.send({"type": "ping"})
        closing = await alice.receive()
        assert (closing["type"], closing["code"]) == ("connection.closing", 1011)
        assert closing["reconnect"]
        assert await alice.closed() == CloseCode.INTERNAL_ERROR
        await server.logs("a bug in ping")
