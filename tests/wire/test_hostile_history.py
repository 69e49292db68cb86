"""Clients that want too much: history that they do not read, requests, and levels of JSON."""

import asyncio
import contextlib
import socket
from pathlib import Path

import pytest
from asgiref.sync import sync_to_async

from api.topics import user_topic
from classroom import token
from devrealm.issue import access_token
from realtime.conf import conf
from realtime.delivery import streams
from realtime.protocol.close_codes import CloseCode
from realtime.tests.entries import append, place_of
from tests.laboratory.test_slow_readers import PROMPT
from tests.wire.hostile import Footprint, footprint, neighbor
from tests.wire.raw import bearer, handshake
from tests.wire.servers import COMMANDS, EACH_SERVER, PATIENCE, ServerProcess, eventually, serving

NOTIFICATIONS = "/ws/notifications/"

# Characters of a frame, how many of them make a history that no kernel's buffer takes, and users.
LARGE, MANY, USERS = 60_000, 150, 3

# What a server holds for a socket that does not read: its write buffer, which one frame may exceed,
# another frame that is being sent, and the socket itself.
HELD_KIB = 64 + 2 * LARGE / 1024 + 40

# What else a server takes: the pages that are read at the same time, each in a thread with a
# connection of its own, what the C library keeps of them, and sockets that have left until Python's
# collector finds them.
CONSTANT_MIB = 40


@pytest.fixture(params=EACH_SERVER)
def own_server(request, environment):
    """Return a function that starts a server with some settings."""
    command = [*COMMANDS[request.param], "config.asgi:application"]
    with contextlib.ExitStack() as stack:
        yield lambda **settings: stack.enter_context(serving(command, **environment, **settings))


def hostile(number: int) -> tuple[str, str]:
    """Return the subject and the token of a user who means harm."""
    subject = f"hostile {number}"
    return subject, access_token("mallory", sub=subject)


@sync_to_async
def write_history(subject: str, count: int, size: int) -> list[str]:
    """Write notifications, and return the position before each of them and after the last."""
    stream = user_topic.stream(subject)
    first = streams.position(stream).place
    frame = {"type": "notification", "notification": {"title": "x" * size}}
    return [str(first), *(str(place_of(append(stream, frame))) for _ in range(count))]


def deaf(server: ServerProcess, token: str, position: str) -> socket.socket:
    """Open a socket that asks for what follows a position, and reads nothing of it."""
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.settimeout(PATIENCE)
    client.connect(("127.0.0.1", server.port))
    client.sendall(handshake(f"{NOTIFICATIONS}?position={position}", bearer(token)))
    return client


async def highest(server: ServerProcess, pings, count: int) -> Footprint:
    """Return the most memory that a server is seen with while so many pings are answered."""
    seen = []
    for _ in range(count):
        await pings.more(1)
        seen.append(footprint(server))
    return max(seen)


@pytest.mark.full
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs /proc to read memory")
async def test_sockets_that_read_nothing_of_their_history_cost_a_buffer_each(
    own_server, shared_database
):
    """With pages that were held, 150 sockets took 903 MiB on uvicorn."""
    server = own_server(**PROMPT, REALTIME_RESUMED_BYTES_PER_MINUTE=str(10**10))
    sockets = USERS * conf.SOCKETS_PER_USER
    async with neighbor(server) as pings:
        await pings.more(20)
        before = footprint(server)
        with contextlib.ExitStack() as stack:
            for number in range(USERS):
                await fill_with_deaf_sockets(server, hostile(number), stack)
            held = await highest(server, pings, 40)
        # On a busy machine, a server's own pings end some before the last has come.
        assert held.descriptors - before.descriptors > sockets / 2
        assert held.memory_mib - before.memory_mib < CONSTANT_MIB + sockets * HELD_KIB / 1024
        released = before.memory_mib + CONSTANT_MIB
        await eventually(lambda: footprint(server).memory_mib < released)
        await pings.more(20)


async def fill_with_deaf_sockets(server: ServerProcess, user: tuple[str, str], stack) -> None:
    """Open as many sockets as a user may have, each of which needs other rows."""
    subject, bearer = user
    positions = await write_history(subject, MANY, LARGE)
    for position in positions[: conf.SOCKETS_PER_USER]:
        client = await asyncio.to_thread(deaf, server, bearer, position)
        stack.enter_context(client)
        assert await asyncio.to_thread(client.recv, 12) == b"HTTP/1.1 101"


@pytest.mark.full
async def test_user_who_is_sent_too_much_history_learns_it_and_misses_nothing(
    own_server, shared_database, connect
):
    """The client comes back too early, again and again, and is sent more each time."""
    frames, allowed = 60, 50
    subject, bearer = hostile(-1)
    positions = await write_history(subject, frames, LARGE)
    server = own_server(REALTIME_RESUMED_BYTES_PER_MINUTE=str(allowed * LARGE + LARGE // 2))
    async with neighbor(server) as pings:
        received = await history_until_closed(server, connect, bearer, positions)
        # As many as allowed, and what was earned while they were sent.
        assert allowed <= len(received) < frames
        async with asyncio.timeout(PATIENCE):
            while len(received) < frames:
                places = positions[len(received) :]
                received += await history_until_closed(server, connect, bearer, places)
                await asyncio.sleep(0.2)
        assert received == positions[1:]
        await pings.more(5)


async def history_until_closed(server, connect, bearer: str, places: list[str]) -> list[str]:
    """Return the positions that a client is sent after the first, until it is closed or has all."""
    path, last = f"{NOTIFICATIONS}?position={places[0]}", places[-1]
    client = await connect(server, path, token=bearer)
    greeting = await client.receive()
    assert (greeting["type"], greeting["recovered"]) == ("connection.established", True)
    received = []
    while (frame := await client.receive())["type"] == "notification":
        received.append(frame["position"])
        if frame["position"] == last:
            return received
    assert (frame["code"], frame["retry_after_ms"]) == (CloseCode.RATE_LIMITED, 30_000)
    assert frame["reason"] == "You have been sent too much history."
    assert await client.closed() == CloseCode.RATE_LIMITED
    return received


@pytest.mark.full
async def test_user_who_sends_too_many_requests_is_told_when_to_go_on(own_server, connect):
    _, bearer = hostile(-2)
    burst, headers = 20, {"Authorization": f"Bearer {bearer}"}
    server = own_server(REALTIME_REQUEST_BURST=str(burst))
    async with neighbor(server) as pings, server.requests(headers=headers) as http:
        answers = []
        for _ in range(5):  # not more at a time than have their turn at once
            answers += await asyncio.gather(*(http.get("/api/me/") for _ in range(burst)))
        refused = [answer for answer in answers if answer.status_code != 200]
        # As many as allowed, and what was earned while they were answered.
        assert burst <= len(answers) - len(refused) < 3 * burst
        for answer in refused:
            assert (answer.status_code, answer.json()["error"]) == (429, "rate_limited")
            assert 0 < int(answer.headers["Retry-After"]) <= 60
        await pings.more(5)
    async with server.requests() as http:
        other = {"Authorization": f"Bearer {token('bob')}"}
        assert (await http.get("/api/me/", headers=other)).status_code == 200


async def test_json_that_is_nested_too_deep_is_refused_with_the_reason(server, connect):
    alice = await connect(server, NOTIFICATIONS, "alice")
    await alice.receive()
    headers = {"Authorization": f"Bearer {token('alice')}"}
    async with server.requests(headers=headers) as http:
        for levels in (65, 980, 5_000):
            deep = "[" * levels + "]" * levels
            await alice.send(f'{{"type": "ping", "timestamp": {deep}}}')
            told = await alice.receive()
            assert (told["type"], told["code"]) == ("error", "malformed")
            body = f'{{"title": "x", "a": {deep}}}'
            answer = await http.post("/api/me/notifications/", content=body)
            assert (answer.status_code, answer.json()["error"]) == (400, "bad_request")
            assert told["message"] == answer.json()["message"]
            assert "at most 64 levels" in told["message"]
    await alice.send({"type": "ping"})
    assert (await alice.receive())["type"] == "pong"
