"""Requests that are too long, too slow, or never whole: what each server answers, and holds."""

import asyncio
import contextlib
import json

import pytest

from tests.lanes import in_full
from tests.wire.hostile import footprint, neighbor
from tests.wire.raw import connected, head
from tests.wire.servers import COMMANDS, EACH_SERVER, eventually, serving

MIB = 2**20
LOGOUT = "/api/backchannel-logout/"

# So little that a test need not wait, or send, for long.
SHORT = {"REALTIME_HEAD_SECONDS": "1", "REALTIME_BODY_SECONDS": "1"}
LITTLE = {"REALTIME_MAX_BODIES_BYTES": str(4 * MIB)}
TOO_LARGE = {"error": "too_large", "message": "A request has at most 1048576 bytes."}
CHUNKED = "Transfer-Encoding: chunked"


def served(name, environment, **limits):
    return serving([*COMMANDS[name], "config.asgi:application"], **environment, **limits)


@pytest.fixture(scope="module")
def hurried(environment):
    """`realtime.server` with limits that are reached soon."""
    with served("realtime.server", environment, **SHORT) as server:
        yield server


@pytest.fixture(params=["realtime.server", "uvicorn"])
def holder(request, environment):
    """Each server that keeps what it holds within limits."""
    with served(request.param, environment) as server:
        yield server


def chunk(size: int) -> bytes:
    return b"%x\r\n%s\r\n" % (size, bytes(size))


@pytest.mark.parametrize("name", EACH_SERVER)
async def test_body_that_is_announced_too_long_is_refused(start, name):
    async with connected(start(name, "pubsub")) as (client,):
        await client.send(head("POST", LOGOUT, f"Content-Length: {MIB + 1}"))
        if name == "daphne":  # it passes a body on when it is whole
            await client.send(bytes(MIB + 1))
        assert await client.answer() == (413, TOO_LARGE)


@pytest.mark.parametrize("name", EACH_SERVER)
async def test_body_is_refused_when_it_becomes_too_long(start, name):
    async with connected(start(name, "pubsub")) as (client,):
        await client.send(head("POST", LOGOUT, CHUNKED) + chunk(MIB) + chunk(1))
        if name == "daphne":
            await client.send(chunk(0))
        assert await client.answer() == (413, TOO_LARGE)


@pytest.mark.full
@pytest.mark.parametrize("name", COMMANDS)
async def test_longest_body_reaches_the_view(start, name):
    async with connected(start(name, "pubsub")) as (client,):
        form = b"logout_token=" + b"x" * (MIB - 13)
        kind = "Content-Type: application/x-www-form-urlencoded"
        await client.send(head("POST", LOGOUT, kind, f"Content-Length: {MIB}") + form)
        status, answer = await client.answer()
        assert status == 400 and answer["error"] != "too_large"


@pytest.mark.full
async def test_endless_bodies_take_no_memory(holder):
    async with neighbor(holder) as pings, connected(holder, 50) as clients:
        await pings.more(20)
        before = footprint(holder)
        await asyncio.gather(*map(send_much, clients))
        await pings.more(20)
        assert footprint(holder).memory_mib - before.memory_mib < 50
    await eventually(lambda: footprint(holder).descriptors <= before.descriptors)


async def send_much(client):
    """Send 20 MiB, or until the server hangs up."""
    with contextlib.suppress(ConnectionError):
        await client.send(head("POST", LOGOUT, CHUNKED))
        for _ in range(20):
            await client.send(chunk(MIB))


@pytest.mark.full
async def test_memory_of_large_bodies_is_given_back(environment):
    with served("realtime.server", environment) as server:
        async with connected(server) as (client,):
            await post_much(client)
        before = footprint(server)
        async with connected(server, 60) as clients:
            await asyncio.gather(*map(post_much, clients))
        await eventually(lambda: footprint(server).memory_mib - before.memory_mib < 20)


async def post_much(client):
    """Post the longest body, and read the answer, unless the server hangs up."""
    with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
        await client.send(head("POST", LOGOUT, f"Content-Length: {MIB}") + b"x" * MIB)
        await client.answer()


BEGUN = {
    "nothing": b"",
    "half a head": b"GET / HT",
    "no body": head("POST", LOGOUT, "Content-Length: 9"),
    "no second request": head("GET", "/api/"),
}


@pytest.mark.parametrize("begun", ["nothing", *in_full([*BEGUN][1:])])
async def test_silent_connection_ends(hurried, begun):
    async with connected(hurried) as (client,):
        await client.send(BEGUN[begun])
        await client.rest()


@pytest.mark.full
@pytest.mark.parametrize("begin", [b"GET /", head("POST", LOGOUT, "Content-Length: 999")])
async def test_dripping_does_not_prolong_the_time(hurried, begin):
    async with connected(hurried) as (client,):
        await client.send(begin)
        ending = asyncio.create_task(client.rest())
        with contextlib.suppress(ConnectionError):
            while not ending.done():
                await client.send(b"x")
                await asyncio.sleep(0.1)
        await ending


@pytest.mark.full
async def test_dripping_body_is_told_408_on_uvicorn(environment):
    with served("uvicorn", environment, **SHORT) as server:
        async with connected(server) as (client,):
            await client.send(head("POST", LOGOUT, "Content-Length: 999") + b"x")
            status, answer = await client.answer()
    assert (status, answer["error"]) == (408, "too_slow")


@pytest.mark.full
async def test_unfinished_bodies_give_way_to_one_that_is_finished(environment):
    with served("realtime.server", environment, **LITTLE) as server:
        async with connected(server, 8) as clients:
            for client in clients:
                await client.send(head("POST", LOGOUT, f"Content-Length: {MIB}") + bytes(MIB - 1))
            told = [asyncio.create_task(client.answer()) for client in clients]
            await eventually(lambda: sum(task.done() for task in told) >= 4)
            async with connected(server) as (client,):
                await client.send(head("POST", LOGOUT, "Content-Length: 1000") + bytes(1000))
                assert (await client.answer())[0] == 400
            refused = {json.dumps(task.result()) for task in told if task.done()}
            for task in told:
                task.cancel()
    assert refused == {
        '[503, {"error": "busy", "message": "The server has too many requests at once."}]'
    }


@pytest.mark.full
async def test_bodies_in_all_are_bounded_on_uvicorn(environment):
    with served("uvicorn", environment, **LITTLE) as server:
        async with connected(server, 5) as clients:
            for client in clients:
                await client.send(head("POST", LOGOUT, f"Content-Length: {MIB}") + bytes(MIB - 1))
            told = [asyncio.create_task(client.answer()) for client in clients]
            done, others = await asyncio.wait(told, return_when=asyncio.FIRST_COMPLETED)
            for task in others:
                task.cancel()
        assert {task.result()[0] for task in done} == {503}
