"""Messages that are never finished, and pings without end."""

import asyncio
import contextlib

import pytest

from classroom import token
from tests.lanes import in_full
from tests.wire.hostile import footprint, neighbor
from tests.wire.raw import PATH, Raw, bearer, connected, frame, handshake
from tests.wire.servers import COMMANDS, PATIENCE, eventually, serving

OURS = [*COMMANDS["realtime.server"], "config.asgi:application"]
TEXT, CONTINUATION, PING, PONG, LAST = 0x01, 0x00, 0x89, 0x8A, 0x80

NOT_FINISHED = (4108, "Your message was not finished in time.")
TOO_MANY_PINGS = (4113, "You send too many pings.")


@pytest.fixture(scope="module")
def hurried(environment):
    """A server that waits two seconds for a message."""
    with serving(OURS, **environment, REALTIME_MESSAGE_SECONDS="2") as server:
        yield server


async def open_socket(client: Raw) -> None:
    await client.send(handshake(PATH, bearer(token("alice"))))
    await client.reader.readuntil(b"\r\n\r\n")


async def closing_of(client: Raw) -> tuple[int, str]:
    """Read frames until one closes, and return its code and its reason."""
    async with asyncio.timeout(PATIENCE):
        while True:
            first, size = await client.reader.readexactly(2)
            if size == 126:
                size = int.from_bytes(await client.reader.readexactly(2))
            payload = await client.reader.readexactly(size)
            if first == 0x88:
                return int.from_bytes(payload[:2]), payload[2:].decode()


HALVES = {
    "half a frame": frame(LAST | TEXT, b'{"type": ', length=60),
    "first part of two": frame(TEXT, b'{"type": '),
    "half a head of a frame": frame(LAST | TEXT, b"x")[:1],
}


@pytest.mark.parametrize("half", ["half a frame", *in_full([*HALVES][1:])])
async def test_unfinished_message_ends_in_4108(hurried, half):
    async with connected(hurried) as (client,):
        await open_socket(client)
        await client.send(HALVES[half])
        assert await closing_of(client) == NOT_FINISHED


@pytest.mark.full
async def test_parts_and_pings_do_not_prolong_the_time(hurried):
    async with connected(hurried) as (client,):
        await open_socket(client)
        await client.send(frame(TEXT, b"x"))
        closing = asyncio.create_task(closing_of(client))
        while not closing.done():
            await client.send(frame(CONTINUATION, b"x") + frame(PING))
            await asyncio.wait([closing], timeout=0.3)
        assert await closing == NOT_FINISHED


@pytest.mark.full
async def test_client_that_finishes_its_messages_stays(hurried):
    async with connected(hurried) as (client,):
        await open_socket(client)
        message = frame(LAST | TEXT, b'{"type": "ping"}')
        await client.send(message[:-4])
        for _ in range(12):  # each message begins when the one before ends
            await asyncio.sleep(0.2)
            await client.send(message[-4:] + message[:-4])
        await client.send(message[-4:] + frame(0x88, (1000).to_bytes(2)))
        assert (await closing_of(client))[0] == 1000


@pytest.mark.full
async def test_unfinished_messages_hold_little_in_all(environment):
    limits = {"REALTIME_MESSAGE_SECONDS": "3600"}
    with serving(OURS, **environment, **limits) as server:
        async with neighbor(server) as pings, connected(server, 40) as clients:
            for client in clients:
                await open_socket(client)
            await pings.more(20)
            before = footprint(server)
            closings = [asyncio.create_task(closing_of(client)) for client in clients]
            for client in clients:
                await client.send(frame(LAST | TEXT, b"x" * 930_000, length=1_000_000))
            await eventually(lambda: sum(task.done() for task in closings) >= 30)
            await pings.more(20)
            assert footprint(server).memory_mib - before.memory_mib < 16
            ends = {task.result() for task in closings if task.done()}
            for task in closings:
                task.cancel()
        assert ends == {(4108, "The server holds too many unfinished messages.")}
        await eventually(lambda: footprint(server).descriptors <= before.descriptors - 40)


@pytest.mark.parametrize("kind", [PING, *in_full([PONG])])
async def test_flood_of_pings_ends_in_4113(hurried, kind):
    async with connected(hurried) as (client,):
        await open_socket(client)
        flood = asyncio.create_task(client.send(frame(kind, b"x" * 100) * 100_000))
        assert await closing_of(client) == TOO_MANY_PINGS
        flood.cancel()


@pytest.mark.full
async def test_message_of_many_parts_ends_in_4113(hurried):
    async with connected(hurried) as (client,):
        await open_socket(client)
        await client.send(frame(TEXT) + frame(CONTINUATION) * 10_000)
        assert await closing_of(client) == (4113, "Your message has too many parts.")


@pytest.mark.full
async def test_floods_of_pings_disturb_no_neighbor(hurried):
    async with neighbor(hurried) as pings:
        await pings.more(20)
        before = footprint(hurried)
        async with connected(hurried, 40) as clients:
            for client in clients:
                await open_socket(client)
            floods = [asyncio.create_task(client.send(frame(PING) * 50_000)) for client in clients]
            ends = await asyncio.gather(*map(closing_of, clients))
            await pings.more(20)
            assert set(ends) == {TOO_MANY_PINGS}
            for flood in floods:
                flood.cancel()
        await eventually(lambda: footprint(hurried).descriptors <= before.descriptors)
        assert footprint(hurried).memory_mib - before.memory_mib < 16


@pytest.mark.full
async def test_second_handshake_is_no_handshake(hurried):
    """What comes before the server has accepted was once read as the head of another handshake."""
    async with connected(hurried) as (client,):
        begun = handshakes(hurried)
        await client.send(handshake(PATH, bearer(token("alice"))))
        # Twisted drops what comes together with the first.
        await eventually(lambda: handshakes(hurried) > begun)
        await client.send(handshake(PATH))
        await client.reader.readuntil(b"\r\n\r\n")
        # A client on a busy machine may read only after the server has waited and hung up.
        with contextlib.suppress(ConnectionResetError):
            assert (await closing_of(client))[0] == 1002
    assert not any("Traceback" in line for line in hurried.log)


def handshakes(server) -> int:
    return sum("WSCONNECTING" in line for line in server.log)


# Messages that each of some clients sends to an application that takes none, and bytes of each.
CLIENTS, EACH, SIZE = 30, 10, 900_000


@pytest.mark.full
async def test_messages_that_nobody_takes_hold_little_in_all(environment):
    """One message of each client is read, where there would be room for sixteen."""
    command = [*OURS[:-1], "tests.wire.variants.holds_all:application"]
    with serving(command, **environment) as server:
        before = footprint(server)
        async with connected(server, CLIENTS) as clients:
            for client in clients:
                await open_socket(client)
            message = frame(LAST | TEXT, b"x" * SIZE)
            sending = [asyncio.create_task(client.send(message * EACH)) for client in clients]
            await stands_still(server)
            held = footprint(server).memory_mib - before.memory_mib
            assert all(not task.done() for task in sending)
            for task in sending:
                task.cancel()
    # The bytes and the text of a message, and what the sockets have of the next one.
    assert held < 3 * CLIENTS * SIZE / 2**20


async def stands_still(server) -> None:
    """Wait until the server takes no more."""
    seen = [footprint(server).memory_mib]
    while len(seen) < 10 or max(seen[-10:]) - min(seen[-10:]) > 1:
        await asyncio.sleep(0.1)
        seen.append(footprint(server).memory_mib)
