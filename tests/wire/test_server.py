"""`realtime.server`: what it does where Daphne was measured to fail its clients."""

import asyncio
import os
import signal
import socket as sockets
from contextlib import contextmanager

import pytest
from websockets.asyncio.client import connect as open_socket
from websockets.exceptions import ConnectionClosed

from classroom import token
from demo.people import ORG_ID
from tests.lanes import in_full
from tests.wire.servers import COMMANDS, serving

OURS = COMMANDS["realtime.server"]

# Bytes by which a server may grow for one client that floods it, or does not read.
GROWTH = 5 * 2**20


@pytest.fixture(scope="module")
def stubborn():
    with serving([*OURS, "tests.wire.variants.misbehaving:application"]) as server:
        yield server


@pytest.fixture(params=["pubsub", *in_full(["core"])])
def reference(request, environment, redis_port):
    layer = {"REDIS_HOST": "127.0.0.1", "REDIS_PORT": str(redis_port)}
    layer |= {"CHANNEL_LAYER": request.param, "REALTIME_DRAIN_SECONDS": "1"}
    with serving([*OURS, "config.asgi:application"], **environment, **layer) as server:
        yield server


async def opened(server, path):
    return await open_socket(server.ws + path, compression=None, proxy=None)


async def closing_of(socket):
    """Wait for the server's close frame; return its code and its reason."""
    with pytest.raises(ConnectionClosed):
        while True:
            await asyncio.wait_for(socket.recv(), 10)
    return socket.close_code, socket.close_reason


async def test_stop_closes_every_socket_with_1012_and_leaves_nothing_behind(
    reference, connect, redis
):
    clients = []
    for path in ("/ws/notifications/", f"/ws/events/{ORG_ID}/"):
        for username in ["alice", "bob"] * 10:
            client = await connect(reference, path, username)
            assert (await client.receive())["type"] == "connection.established"
            clients.append(client)
    reference.process.send_signal(signal.SIGTERM)
    ends = await asyncio.gather(*(closing_of(client.socket) for client in clients))
    assert set(ends) == {(1012, "The server restarts.")}
    assert await asyncio.to_thread(reference.process.wait, 15) == 0
    assert await redis.keys("asgi:group:*") == []
    assert await redis.pubsub_channels("asgi*") == []
    assert not any("Traceback" in line for line in reference.log)


@pytest.mark.full
async def test_stop_lets_a_request_finish(stubborn):
    with serving([*OURS, "tests.wire.variants.misbehaving:application"]) as server:
        async with server.requests() as http:
            asked = asyncio.create_task(http.get("/"))
            await server.logs("asked")
            server.process.send_signal(signal.SIGTERM)
            assert (await asked).text == "late"


@pytest.mark.full
async def test_stop_waits_for_the_end_of_nobody_for_ever():
    with serving([*OURS, "tests.wire.variants.misbehaving:application"]) as server:
        socket = await opened(server, "/ignore_the_end/")
        server.process.send_signal(signal.SIGTERM)
        assert (await closing_of(socket))[0] == 1012
        await server.logs("cancelled")
        assert await asyncio.to_thread(server.process.wait, 15) == 0


@pytest.mark.full
async def test_stop_lets_an_application_speak_into_the_close():
    with serving([*OURS, "tests.wire.variants.misbehaving:application"]) as server:
        socket = await opened(server, "/send_until_the_end/")
        await socket.recv()
        server.process.send_signal(signal.SIGTERM)
        assert (await closing_of(socket))[0] == 1012
        await server.logs("sent until the end")


async def test_refusal_has_its_reason(reference, connect):
    client = await connect(reference, "/ws/notifications/")
    closing = await client.receive()
    assert await closing_of(client.socket) == (4001, closing["reason"])


@pytest.mark.parametrize(("path", "code"), [("/return_at_once/", 1000), ("/fail/", 1011)], ids=str)
async def test_socket_whose_application_has_ended_is_closed(stubborn, path, code):
    assert (await closing_of(await opened(stubborn, path)))[0] == code


async def test_application_may_close_with_any_code_and_a_reason_that_is_too_long(stubborn):
    code, reason = await closing_of(await opened(stubborn, "/close_with_1012_and_a_reason/"))
    assert code == 1012
    assert reason == "Back soon: " + "ü" * 56  # 123 bytes


@pytest.mark.parametrize("message", ["", b""], ids=["text", "bytes"])
async def test_empty_message_is_sent(stubborn, message):
    socket = await opened(stubborn, "/echo/")
    await socket.send(message)
    assert await asyncio.wait_for(socket.recv(), 10) == message
    await socket.close()


def frame(head: bytes, payload: bytes) -> bytes:
    """Return a client's frame, masked with zeros; `head` is the first byte."""
    length = bytes([0x80 | len(payload)]) if len(payload) < 126 else b"\xff"
    if len(payload) >= 126:
        length += len(payload).to_bytes(8, "big")
    return head + length + bytes(4) + payload


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (frame(b"\xc1", b"x"), 1002),  # a reserved bit
        (frame(b"\x83", b"x"), 1002),  # a reserved opcode
        (frame(b"\x81", b"\xff\xfe"), 1007),  # not UTF-8
        (frame(b"\x81", b"x" * (2**20 + 1)), 1009),  # longer than Daphne's limit of a message
    ],
    ids=["reserved bit", "reserved opcode", "not UTF-8", "oversize"],
)
async def test_protocol_error_is_told_by_its_code(stubborn, sent, code):
    socket = await opened(stubborn, "/echo/")
    socket.transport.write(sent)
    assert (await closing_of(socket))[0] == code


@contextmanager
def growth_of(server):
    """See that the server does not grow."""
    before = memory_of(server)
    yield
    assert memory_of(server) - before < GROWTH


def memory_of(server) -> int:
    with open(f"/proc/{server.process.pid}/statm") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.full
async def test_flood_that_no_application_takes_is_not_read(stubborn):
    socket = await opened(stubborn, "/never_receive/")
    with growth_of(stubborn):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(2):
                while True:
                    await socket.send("x" * 65_536)
    socket.transport.abort()


async def test_messages_are_all_taken_however_many_wait(stubborn):
    socket = await opened(stubborn, "/echo/")
    numbers = [str(number) for number in range(1_000)]
    sending = asyncio.create_task(send_all(socket, numbers))
    assert [await asyncio.wait_for(socket.recv(), 10) for _ in numbers] == numbers
    await sending
    await socket.close()


async def send_all(socket, numbers):
    for number in numbers:
        await socket.send(number)


@contextmanager
def deaf_client(server, path):
    """Open a socket by hand, so that nobody reads it."""
    host, port = server.address.split(":")
    with sockets.create_connection((host, int(port)), timeout=10) as client:
        lines = [f"GET {path} HTTP/1.1", f"Host: {server.address}", "Upgrade: websocket"]
        lines += ["Connection: Upgrade", "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA=="]
        lines += ["Sec-WebSocket-Version: 13", "", ""]
        client.sendall("\r\n".join(lines).encode())
        assert client.recv(12) == b"HTTP/1.1 101"
        yield client


@pytest.mark.full
async def test_application_waits_for_a_client_that_does_not_read(stubborn):
    with growth_of(stubborn), deaf_client(stubborn, "/send_for_ever/"):
        await asyncio.sleep(1)  # in which Daphne would hold some hundred megabytes
    other = await opened(stubborn, "/echo/")
    await other.send("alive")
    assert await other.recv() == "alive"
    await other.close()


@pytest.mark.full
async def test_client_that_never_answers_the_close_does_not_keep_the_server(reference):
    with deaf_client(reference, f"/ws/notifications/?token={token('alice')}"):
        reference.process.send_signal(signal.SIGTERM)
        assert await asyncio.to_thread(reference.process.wait, 20) == 0
