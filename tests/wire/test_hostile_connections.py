"""Connections that are kept open, and send nothing or half of what is needed."""

import asyncio
import contextlib
import socket

import pytest

from classroom import Client, token
from tests.lanes import in_full
from tests.wire.hostile import PATH, footprint, neighbor
from tests.wire.raw import connected, handshake
from tests.wire.servers import COMMANDS, eventually, serving

OURS = [*COMMANDS["realtime.server"], "config.asgi:application"]
MOST = 40
FEW = {"REALTIME_MAX_PENDING_CONNECTIONS": str(MOST), "REALTIME_HEAD_SECONDS": "3600"}
HALF = handshake(PATH)[:-2]


@pytest.fixture(scope="module")
def narrow(environment):
    """A server that takes few connections, and waits for them for ever."""
    with serving(OURS, **environment, **FEW) as server:
        yield server


async def lets_alice_in(server) -> bool:
    alice = await Client.connect(server.ws + PATH, token=token("alice"))
    try:
        return (await alice.receive())["type"] == "connection.established"
    finally:
        await alice.leave()


async def ended(raws) -> int:
    """Return how many connections the server has ended."""
    await asyncio.sleep(0)
    return sum(raw.reader.at_eof() or raw.reader.exception() is not None for raw in raws)


@pytest.mark.parametrize("begin", [b"", *in_full([HALF])])
async def test_oldest_silent_connection_gives_way(narrow, begin):
    async with connected(narrow, MOST + 20) as clients:
        for client in clients:
            with contextlib.suppress(ConnectionError):
                await client.send(begin)
        assert await lets_alice_in(narrow)
        await eventually(lambda: has_ended(clients, 20))
        assert not clients[-1].reader.at_eof()


async def has_ended(clients, count) -> bool:
    return await ended(clients) >= count


@pytest.mark.full
async def test_open_socket_gives_way_to_nobody(narrow):
    alice = await Client.connect(narrow.ws + PATH, token=token("alice"))
    assert (await alice.receive())["type"] == "connection.established"
    async with connected(narrow, MOST * 3):
        await alice.send({"type": "ping"})
        assert (await alice.receive())["type"] == "pong"
    await alice.leave()


@pytest.mark.full
async def test_places_are_given_back(narrow):
    for _ in range(MOST + 1):
        assert await lets_alice_in(narrow)
        async with narrow.requests() as http:
            assert (await http.get("/api/me/")).status_code == 401
    async with connected(narrow, MOST - 1) as clients:
        assert await lets_alice_in(narrow)
        assert await ended(clients) == 0


@pytest.mark.full
async def test_500_silent_connections_disturb_no_neighbor_and_are_released(environment):
    limits = {"REALTIME_HEAD_SECONDS": "3600"}
    with serving(OURS, **environment, **limits) as server:
        async with neighbor(server) as pings:
            await pings.more(20)
            before = footprint(server)
            async with connected(server, 500) as clients:
                for client in clients:
                    await client.send(HALF)
                await pings.more(20)
                assert footprint(server).memory_mib - before.memory_mib < 20
                assert await lets_alice_in(server)
            await eventually(lambda: footprint(server).descriptors <= before.descriptors)


@pytest.mark.full
async def test_client_gets_in_where_64_descriptors_are_all_there_are(environment):
    """Without the limits, uvicorn and Daphne let nobody in, until somebody leaves."""
    command = ["-c", LITTLE, *OURS[1:]]
    with serving(command, **environment, REALTIME_HEAD_SECONDS="3600") as server:
        async with connected(server, 200):
            for _ in range(5):
                assert await lets_alice_in(server)
        assert not any("Traceback" in line or "Too many open files" in line for line in server.log)


LITTLE = """
import resource, runpy, sys
resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
sys.argv = sys.argv[:1] + sys.argv[2:]
runpy.run_module("realtime.server", run_name="__main__")
"""


def own_address() -> str:
    """Return an address of this machine that is no loopback."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        with contextlib.suppress(OSError):
            probe.connect(("192.0.2.1", 9))  # nothing is sent
            return probe.getsockname()[0]
    pytest.skip("needs a network interface beside the loopback")


@pytest.mark.full
async def test_one_address_takes_no_more_than_half(environment):
    command = [*OURS[:2], "-b", "0.0.0.0", *OURS[4:]]
    address = own_address()
    with serving(command, **environment, **FEW, LOCAL_NETWORK="1") as server:
        async with connected(server, 10) as local:
            async with connected(server, MOST, address) as remote:
                await eventually(lambda: has_ended(remote, MOST // 2))
                assert await ended(remote) == MOST // 2
                assert await ended(local) == 0
