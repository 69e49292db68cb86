"""Probes of a supervisor: they come by address, and are answered whatever else is away."""

import asyncio
import base64
import contextlib

import httpx
import pytest

from classroom import token
from tests.laboratory.proxy import Proxy
from tests.wire.hostile import footprint
from tests.wire.parts import AppServer
from tests.wire.servers import PATIENCE, eventually

# As a kubelet sends it, without a name that ALLOWED_HOSTS has.
BY_ADDRESS = {"Host": "10.0.0.7:8000"}
ALL_OK = {"database": "ok", "channel_layer": "ok", "issuer_keys": "ok"}

HANDSHAKE = """GET /ws/notifications/ HTTP/1.1
Host: 127.0.0.1
Authorization: Bearer {token}
Upgrade: websocket
Connection: Upgrade
Sec-WebSocket-Key: {key}
Sec-WebSocket-Version: 13

"""
# The server's close frame begins with this: its last bit, its length, and 1012.
CLOSED_WITH_1012 = (1012).to_bytes(2, "big") + b"The server restarts."


async def readiness(http) -> tuple[int, dict[str, str]]:
    """Return status and body, once each part has been asked."""
    while (answer := await http.get("/readyz")).json()["status"] == "starting":
        assert answer.status_code == 503
    return answer.status_code, answer.json()


def in_state(http, **states: str):
    """Return a predicate: each probe is answered with 200, and the last with these states."""

    async def holds() -> bool:
        status, body = await readiness(http)
        assert (status, body["status"]) == (200, "ready")
        return states.items() <= body.items()

    return holds


async def test_probe_by_address_is_answered(server):
    async with server.requests(headers=BY_ADDRESS) as http:
        assert (await http.get("/healthz")).json() == {"status": "alive"}
        assert await readiness(http) == (200, {"status": "ready", **ALL_OK})
        head = await http.head("/readyz")
        assert (head.status_code, head.content) == (200, b"")
        assert (await http.post("/healthz", content=b"x" * 100_000)).status_code == 405
        assert (await http.get("/healthz")).status_code == 200


@pytest.mark.full
async def test_probe_by_plain_http_is_answered_in_production(production):
    """The issuer of these settings does not exist, which is no reason to be taken out."""
    async with started(production) as (_, http):
        redirected = await http.get("/", headers={"Host": "app.example.com"})
        refused = await http.get("/")
        assert (redirected.status_code, refused.status_code) == (301, 400)
        assert (await http.get("/healthz")).status_code == 200
        away = {"issuer_keys": "unavailable"}
        assert await readiness(http) == (200, {"status": "ready", **ALL_OK} | away)


@contextlib.asynccontextmanager
async def started(environment: dict[str, str]):
    """Run a server beside this event loop, and yield it and a client for its probes."""
    server = AppServer("realtime.server", "config.asgi:application", **environment)
    try:
        await asyncio.to_thread(server.start)
        # A server that drains answers over connections that it has.
        kept = httpx.Limits(keepalive_expiry=PATIENCE)
        async with server.life.requests(headers=BY_ADDRESS, limits=kept) as http:
            yield server.life, http
    finally:
        server.kill()


@pytest.mark.full
async def test_server_stays_ready_while_its_database_is_away_and_says_so(on_postgresql):
    url = on_postgresql["DATABASE_URL"]
    port = httpx.URL(url).port
    async with Proxy(port) as proxy:
        moved = {"DATABASE_URL": url.replace(str(port), str(proxy.port))}
        async with started(on_postgresql | moved) as (server, http):
            await eventually(in_state(http, **ALL_OK))
            proxy.listener.close()
            proxy.abort_all()
            await eventually(in_state(http, **ALL_OK | {"database": "unavailable"}))
            await proxy.listen()
            await eventually(in_state(http, **ALL_OK))
            await freezing_takes_one_thread(proxy, server, http)


async def freezing_takes_one_thread(proxy, server, http) -> None:
    """Freeze PostgreSQL for as long as ten probes take, each of which waits for it."""
    threads = footprint(server).threads
    proxy.flows.clear()
    await eventually(in_state(http, **ALL_OK | {"database": "unavailable"}))
    for _ in range(10):
        assert (await readiness(http))[0] == 200
        assert (await http.get("/healthz")).status_code == 200
    assert footprint(server).threads <= threads + 1
    proxy.flows.set()
    await eventually(in_state(http, **ALL_OK))


@pytest.mark.full
async def test_server_stays_ready_while_its_redis_is_away_and_says_so(environment, own_redis):
    redis = {"REDIS_HOST": "127.0.0.1", "REDIS_PORT": str(own_redis.port)}
    async with started(environment | redis) as (_, http):
        for stop, go_on in ((own_redis.kill, own_redis.start), (own_redis.freeze, own_redis.thaw)):
            await eventually(in_state(http, **ALL_OK))
            stop()
            await eventually(in_state(http, **ALL_OK | {"channel_layer": "unavailable"}))
            go_on()
        await eventually(in_state(http, **ALL_OK))


@pytest.mark.full
async def test_server_that_drains_is_not_ready(environment):
    """A new connection is refused, which a probe takes for the same."""
    async with started(environment) as (server, http):
        assert (await readiness(http))[0] == 200
        reader, writer = await deaf_socket(server)
        server.process.terminate()
        await asyncio.wait_for(reader.readuntil(CLOSED_WITH_1012), PATIENCE)
        status, body = await readiness(http)
        assert (status, body["status"]) == (503, "draining")
        assert (await http.get("/healthz")).status_code == 200
        writer.close()


async def deaf_socket(server):
    """Open a socket that does not answer the server's close, which waits 5 s for that."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    key = base64.b64encode(bytes(16)).decode()
    handshake = HANDSHAKE.format(token=token("alice"), key=key)
    writer.write(handshake.replace("\n", "\r\n").encode())
    await asyncio.wait_for(reader.readuntil(b"connection.established"), PATIENCE)
    return reader, writer
