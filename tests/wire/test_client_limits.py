"""What one client may ask of a real server: each limit, and a flood."""

import asyncio
import contextlib
import socket
import threading
import time
from pathlib import Path

import pytest

from classroom import token
from devrealm.issue import access_token
from realtime.conf import conf
from realtime.protocol.close_codes import CloseCode
from tests.lanes import in_full
from tests.wire.hostile import footprint
from tests.wire.raw import bearer, frame, handshake
from tests.wire.servers import COMMANDS, EACH_SERVER, PATIENCE, eventually, serving

NOTIFICATIONS = "/ws/notifications/"


async def established(connect, server, **options):
    client = await connect(server, NOTIFICATIONS, **({"username": "alice"} | options))
    assert (await client.receive())["type"] == "connection.established"
    return client


CARRIERS = {
    "header": lambda token: {"headers": {"Authorization": f"Bearer {token}"}},
    "subprotocol": lambda token: {"subprotocols": ["realtime.v1", f"bearer.{token}"]},
    "query": lambda token: {"path": f"{NOTIFICATIONS}?token={token}"},
}


def token_of(size: int) -> str:
    """Return alice's token with about so many characters, as one with many roles has."""
    short = len(access_token("alice", roles=""))
    return access_token("alice", roles="x" * ((size - short) * 3 // 4))


@pytest.mark.parametrize("carry", CARRIERS.values(), ids=CARRIERS)
@pytest.mark.parametrize("kilobytes", [*in_full([4, 8, 12]), 16])
async def test_token_of_up_to_16_kb_connects_by_each_carrier(server, connect, kilobytes, carry):
    long = token_of(kilobytes * 1024)
    assert kilobytes * 1024 - 4 < len(long) <= kilobytes * 1024
    options = {"path": NOTIFICATIONS} | carry(long)
    client = await connect(server, **options)
    assert (await client.receive())["type"] == "connection.established"


@pytest.mark.parametrize("carry", CARRIERS.values(), ids=CARRIERS)
@pytest.mark.parametrize("kilobytes", [17, *in_full([24, 48])])
async def test_longer_token_is_refused_with_a_reason(server, connect, kilobytes, carry):
    options = {"path": NOTIFICATIONS} | carry("x" * kilobytes * 1024)
    client = await connect(server, **options)
    closing = await client.receive()
    assert (closing["code"], closing["reason"]) == (4001, "The token is longer than 16 KB.")
    assert await client.closed() == CloseCode.UNAUTHORIZED


@pytest.mark.parametrize("size", [300_000, 2_000_000])
def test_header_that_no_server_takes_is_answered_or_hung_up_on(server, size):
    answer = answer_to(server, handshake(NOTIFICATIONS, bearer("x" * size)))
    assert answer == b"" or answer.startswith(b"HTTP/1.1 4")


def answer_to(server, request: bytes) -> bytes:
    """Return how an answer begins, and nothing where the server hangs up.

    It may do so while the request is still sent. Should it do neither, this raises TimeoutError.
    """
    with socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE) as client:
        with contextlib.suppress(ConnectionError):
            client.sendall(request)
        with contextlib.suppress(ConnectionError):
            return client.recv(len("HTTP/1.1 400"))
    return b""


async def test_oversize_message_gets_an_error_and_the_socket_lives(server, connect):
    alice = await established(connect, server)
    for size in (conf.MAX_MESSAGE_BYTES + 1, 1_000_000):
        for message in ("x" * size, b"x" * size):
            await alice.send(message)
            assert (await alice.receive())["type"] == "error"
    await alice.send({"type": "ping"})
    assert (await alice.receive())["type"] == "pong"


async def test_client_that_sends_too_much_learns_when_to_come_back(server, connect):
    alice = await established(connect, server)
    for _ in range(conf.MESSAGE_BURST * 3):
        await alice.send({"type": "ping"})
    frames = [await alice.receive()]
    while frames[-1]["type"] == "pong":
        frames.append(await alice.receive())
    assert len(frames) > conf.MESSAGE_BURST
    assert (frames[-1]["code"], frames[-1]["retry_after_ms"]) == (4113, 10_000)
    assert await alice.closed() == CloseCode.RATE_LIMITED


async def test_errors_in_a_row_end_in_4509(server, connect):
    alice = await established(connect, server)
    for _ in range(conf.MAX_ERRORS):
        await alice.send("{")
        assert (await alice.receive())["type"] == "error"
    assert (await alice.receive())["code"] == CloseCode.TOO_MANY_ERRORS
    assert await alice.closed() == CloseCode.TOO_MANY_ERRORS


async def test_one_socket_too_many_is_4504_and_room_is_made_by_leaving(server, connect):
    mine = {"username": None, "token": access_token("bob", sub="many sockets")}
    most = conf.SOCKETS_PER_USER
    clients = [await established(connect, server, **mine) for _ in range(most)]
    refused = await connect(server, NOTIFICATIONS, **mine)
    assert (await refused.receive())["code"] == CloseCode.TOO_MANY_CONNECTIONS
    assert await refused.closed() == CloseCode.TOO_MANY_CONNECTIONS
    await clients[0].leave()

    async def let_in():
        again = await connect(server, NOTIFICATIONS, **mine)
        return (await again.receive())["type"] == "connection.established"

    await eventually(let_in)


@pytest.fixture(params=EACH_SERVER)
def slow_server(request, environment):
    """A server whose look-up of a membership takes 3 s, of 1 s allowed."""
    command = [*COMMANDS[request.param], "tests.wire.variants.slow_access_check:application"]
    with serving(command, **environment, REALTIME_CONNECT_SECONDS="1") as server:
        yield server


@pytest.mark.full
async def test_slow_connect_is_told_4104_before_the_server_drops_it(slow_server, connect):
    alice = await connect(slow_server, NOTIFICATIONS, "alice")
    assert (await alice.receive())["code"] == CloseCode.UNAVAILABLE
    assert await alice.closed() == CloseCode.UNAVAILABLE


# Without limits an inbound flood took 240 MiB on Daphne; ten seconds of this one took 0.1 on each.
# A hundred messages go out every 10 ms.
FLOOD, FLOOD_AT_ONCE, FLOOD_GROWTH_MIB = 15_000, 100, 20

TEXT = 0x81
TOLD = b'"code": 4113'


@pytest.mark.full
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs /proc to read memory")
async def test_flood_ends_in_4113_and_takes_no_memory(server):
    usual = footprint(server).memory_mib
    highest, heard = await asyncio.to_thread(flood, server)
    assert TOLD in heard
    assert highest - usual < FLOOD_GROWTH_MIB


def flood(server) -> tuple[float, bytes]:
    """Send without heed of close frames; return the highest memory seen, and what came back."""
    messages = frame(TEXT, b'{"type": "ping", "timestamp": 1}') * FLOOD_AT_ONCE
    heard, highest = bytearray(), 0.0
    with socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE) as client:
        client.sendall(handshake(NOTIFICATIONS, bearer(token("alice"))))
        hearing = threading.Thread(target=hear, args=(client, heard))
        hearing.start()
        with contextlib.suppress(ConnectionError):  # hung up on at last
            for _ in range(FLOOD // FLOOD_AT_ONCE):
                client.sendall(messages)
                highest = max(highest, footprint(server).memory_mib)
                time.sleep(0.01)
        # A server that is slow because its machine is busy gets nothing more. Daphne reads all that
        # comes, and once its queue for the application grew by 230 MiB in two minutes.
        end = time.monotonic() + PATIENCE
        while hearing.is_alive() and TOLD not in heard and time.monotonic() < end:
            highest = max(highest, footprint(server).memory_mib)
            time.sleep(0.01)
        with contextlib.suppress(OSError):
            client.shutdown(socket.SHUT_RDWR)
        hearing.join()
    return highest, bytes(heard)


def hear(client, heard: bytearray) -> None:
    """Read until the connection ends."""
    with contextlib.suppress(OSError):
        while chunk := client.recv(65536):
            heard += chunk
