"""The files of `deploy/nginx` in a real nginx, before real servers with production's settings."""

import asyncio
import contextlib
import ssl
from collections import Counter

import httpx
import pytest
from websockets.exceptions import InvalidStatus

from classroom import Client, token
from devrealm.issue import access_token
from tests.wire.fixtures import TOKEN
from tests.wire.hostile import footprint
from tests.wire.nginx import NAME, Nginx, behind_nginx, nginx
from tests.wire.servers import COMMANDS, PATIENCE, eventually, free_port, running, serving
from tests.wire.test_refusals import CARRIERS, NOTIFICATIONS

pytestmark = pytest.mark.full

SERVERS = ["realtime.server", "uvicorn"]
# What a server needs to listen on a Unix socket, and to trust what nginx says there.
ON_UNIX = {"realtime.server": ["-u"], "uvicorn": ["--forwarded-allow-ips=*", "--uds"]}


@pytest.fixture(scope="module")
def production(environment, redis_port):
    """The environment of a server behind nginx."""
    redis = {"REDIS_HOST": "127.0.0.1", "REDIS_PORT": str(redis_port)}
    return behind_nginx(environment | redis)


@contextlib.contextmanager
def listening(name, transport, production, folder):
    """Run a server, and yield it with its address as nginx spells it."""
    if transport == "tcp":
        with serving([*COMMANDS[name], "config.asgi:application"], **production) as server:
            yield server, server.address
    else:
        path = folder / "server.sock"
        command = ["-m", name, *ON_UNIX[name], str(path), "config.asgi:application"]
        with running(command, **production) as server:
            asyncio.run(eventually(path.exists))
            yield server, f"unix:{path}"


@pytest.fixture(
    scope="module", params=[f"{name}-{way}" for name in SERVERS for way in ("tcp", "unix")]
)
def front(request, production, tmp_path_factory):
    """nginx as shipped before each server, over TCP and over a Unix socket."""
    name, _, transport = request.param.rpartition("-")
    folder = tmp_path_factory.mktemp("nginx")
    with (
        listening(name, transport, production, folder) as (server, address),
        nginx(folder, [address]) as front,
    ):
        front.server = server
        yield front


async def enter(front: Nginx, path: str = NOTIFICATIONS, **options) -> Client:
    return await Client.connect(front.ws + path, **front.route, **options)


def requests(front: Nginx, **options) -> httpx.AsyncClient:
    """Return a client of this site, wherever its name leads."""
    # httpx names the certificate's host in the handshake when the request says so.
    extensions = {"sni_hostname": NAME}
    client = httpx.AsyncClient(
        base_url=f"https://127.0.0.1:{front.https}",
        headers={"Host": f"{NAME}:{front.https}"},
        verify=front.trust,
        timeout=PATIENCE,
        **options,
    )

    async def name_the_host(request):
        request.extensions |= extensions

    client.event_hooks["request"].append(name_the_host)
    return client


def long_token(length: int) -> str:
    """Return Alice's token of about so many characters."""
    return access_token("alice", lifespan=3_600, padding="x" * (length * 3 // 4 - 800))


@pytest.mark.parametrize("carry", CARRIERS.values(), ids=CARRIERS)
async def test_token_of_15_000_characters_reaches_the_server(front, carry):
    bearer = long_token(15_000)
    assert 14_000 < len(bearer) < 16_000
    alice = await enter(front, **carry(bearer))
    assert (await alice.receive())["type"] == "connection.established"
    await alice.leave()


@pytest.mark.parametrize("carry", CARRIERS.values(), ids=CARRIERS)
async def test_longer_token_is_refused_and_not_logged(front, carry):
    with pytest.raises(InvalidStatus) as refusal:
        await enter(front, **carry(long_token(30_000)))
    assert refusal.value.response.status_code in (400, 414)


async def test_page_of_this_site_may_open_a_socket_and_no_other_page(front):
    alice = await enter(front, token=token("alice"), origin=front.origin)
    assert (await alice.receive())["type"] == "connection.established"
    await alice.leave()
    for origin in ("https://evil.example", f"https://{NAME}", f"http://{NAME}:{front.https}"):
        with pytest.raises(InvalidStatus) as refusal:
            await enter(front, token=token("alice"), origin=origin)
        assert refusal.value.response.status_code == 403


async def test_newest_tls_is_spoken(front):
    """nginx takes the versions of a port from its default server, which is another one."""
    alice = await enter(front, token=token("alice"))
    assert alice.socket.transport.get_extra_info("ssl_object").version() == "TLSv1.3"
    await alice.leave()


async def test_path_that_a_client_makes_up_reaches_no_server(front):
    """Channels answers it with a traceback and HTTP 500."""
    alice = await enter(front, token=token("alice"), headers={"Daphne-Root-Path": "/made-up"})
    assert (await alice.receive())["type"] == "connection.established"
    await alice.leave()


async def test_rest_api_sees_https(front):
    headers = {"Authorization": f"Bearer {token('alice')}"}
    async with requests(front) as http:
        # A request that Django takes for plain HTTP would be redirected.
        assert (await http.get("/api/me/", headers=headers)).status_code == 200
        assert (await http.get("/api/me/?token=eyJhbGciOiJub25lIn0")).status_code == 401
        answer = await http.post("/api/backchannel-logout/", data={"logout_token": "none"})
        assert answer.status_code == 400


async def test_static_files_come_from_nginx(front):
    static = front.folder / "static"
    static.mkdir(exist_ok=True)
    (static / "page.css").write_text("body {}")
    async with requests(front) as http:
        answer = await http.get("/static/page.css")
    assert (answer.status_code, answer.text) == (200, "body {}")
    assert answer.headers["Cache-Control"] == "no-cache"


async def test_body_over_one_mib_is_refused(front):
    async with requests(front) as http:
        answer = await http.post("/api/me/notifications/", content=b" " * (2**20 + 1))
    assert answer.status_code == 413


async def test_plain_http_leads_to_https_and_unknown_names_nowhere(front):
    async with httpx.AsyncClient(timeout=PATIENCE) as http:
        address = f"http://127.0.0.1:{front.http}/api/me/"
        answer = await http.get(address, headers={"Host": NAME})
        assert (answer.status_code, answer.headers["Location"]) == (308, f"https://{NAME}/api/me/")
        with pytest.raises(httpx.TransportError):
            await http.get(address, headers={"Host": "other.example"})
    route = front.route | {"server_hostname": "other.example"}
    with pytest.raises(ssl.SSLError):
        await Client.connect(front.ws + NOTIFICATIONS, **route)


def test_no_token_was_logged(front):
    """After all of the above: nginx has seen tokens in each place, good ones and refused ones."""
    access = front.log("access.log")
    assert f"GET {NOTIFICATIONS} HTTP/1.1" in access and " 414 " in access
    for log in (access, front.log("error.log"), "".join(front.server.log)):
        assert not TOKEN.search(log)


async def test_no_token_is_logged_where_no_server_answers(tmp_path):
    with nginx(tmp_path, [f"127.0.0.1:{free_port()}"]) as front:
        for carry in CARRIERS.values():
            with pytest.raises(InvalidStatus) as refusal:
                await enter(front, **carry(token("alice")))
            assert refusal.value.response.status_code == 502
        assert front.log("access.log").count(' HTTP/1.1" 502 ') == len(CARRIERS)
        assert not TOKEN.search(front.log("access.log") + front.log("error.log"))


@pytest.mark.parametrize("name", SERVERS)
async def test_clients_of_a_draining_server_read_1012_and_newcomers_get_in(
    name, production, tmp_path
):
    with (
        listening(name, "tcp", production, tmp_path) as (first, one),
        listening(name, "tcp", production, tmp_path) as (second, other),
        nginx(tmp_path, [one, other]) as front,
    ):
        clients = [await enter(front, token=token("bob")) for _ in range(10)]
        for client in clients:
            assert (await client.receive())["type"] == "connection.established"
        first.process.terminate()
        ends = [asyncio.create_task(end_of(client)) for client in clients]
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        greeted = 0
        while first.process.poll() is None or greeted < 20:
            assert await greeting(front) == "connection.established"
            greeted += 1
        # Each server had a half.
        codes = Counter(end.result() for end in ends if end.done())
        reason = "The server restarts." if name == "realtime.server" else ""
        assert codes == {(1012, reason): 5}
        second.process.kill()
        await asyncio.wait(ends)


async def test_server_that_has_restarted_gets_some_of_the_next_clients_and_not_all(tmp_path):
    """It has none, and the others 30 each, so `least_conn` alone would give it all of these 30."""
    ports, held = [free_port() for _ in range(3)], []
    async with contextlib.AsyncExitStack() as stack:

        async def hold(reader, writer) -> None:
            held.append(writer.get_extra_info("sockname")[1])
            await reader.read()
            await end(writer)

        async def start(port: int) -> None:
            await stack.enter_async_context(await asyncio.start_server(hold, "127.0.0.1", port))

        async def ask(times: int) -> list[int]:
            """Open so many requests that stay, and return the servers that got them."""
            held.clear()
            for _ in range(times):
                _, writer = await asyncio.open_connection(
                    "127.0.0.1", front.https, ssl=front.trust, server_hostname=NAME
                )
                stack.push_async_callback(end, writer)
                writer.write(f"GET / HTTP/1.1\r\nHost: {NAME}\r\n\r\n".encode())
            await eventually(lambda: len(held) == times)
            return [*held]

        with nginx(tmp_path, [f"127.0.0.1:{port}" for port in ports]) as front:
            await start(ports[0])
            await start(ports[1])
            assert ports[2] not in await ask(60)
            await start(ports[2])
            assert 0 < (await ask(30)).count(ports[2]) < 30


async def end(writer: asyncio.StreamWriter) -> None:
    writer.transport.abort()
    with contextlib.suppress(OSError, ssl.SSLError):
        await writer.wait_closed()


async def end_of(client: Client) -> tuple[int, str]:
    return await client.closed(), client.socket.close_reason


async def greeting(front: Nginx) -> str:
    """Come in as somebody new, and return the type of the first frame."""
    newcomer = await enter(front, token=token("alice"))
    frame = await newcomer.receive()
    await newcomer.leave()
    return frame["type"]


@pytest.fixture(scope="module")
def server(production, tmp_path_factory):
    """realtime.server, for the tests that have an nginx of their own before it."""
    folder = tmp_path_factory.mktemp("server")
    with listening("realtime.server", "tcp", production, folder) as (server, _):
        yield server


@pytest.fixture
def start(server, tmp_path):
    """Return a function that runs nginx before the server, with pieces of its files changed."""
    with contextlib.ExitStack() as stack:
        yield lambda changed=None: stack.enter_context(
            nginx(tmp_path, [server.address], changed=changed)
        )


async def test_reload_keeps_sockets_for_a_time_and_lets_newcomers_in(start):
    front = start({"worker_shutdown_timeout 10m": "worker_shutdown_timeout 2s"})
    old = front.workers()
    bob = await enter(front, token=token("bob"))
    await bob.receive()
    front.reload()
    await eventually(lambda: front.workers() - old)
    await bob.send({"type": "ping", "timestamp": 1})
    assert (await bob.receive())["type"] == "pong"
    assert await greeting(front) == "connection.established"
    assert await bob.closed() == 1006
    await eventually(lambda: not front.workers() & old)
    assert await greeting(front) == "connection.established"


SILENT, SLOW = 400, 100


async def test_500_silent_connections_end_and_cost_the_server_nothing(start, server):
    front = start()
    assert await greeting(front) == "connection.established"
    before = footprint(server)
    silent = await asyncio.gather(*(opened(front) for _ in range(SILENT)))
    slow = await asyncio.gather(*(opened(front, **tls_of(front)) for _ in range(SLOW)))
    ends = [asyncio.create_task(hung_up(*streams)) for streams in silent + slow]
    for _, writer in slow:
        writer.write(f"GET {NOTIFICATIONS} HTTP/1.1\r\nHost: {NAME}\r\n".encode())
    assert await greeting(front) == "connection.established"
    assert footprint(server).descriptors <= before.descriptors + 5
    async with asyncio.timeout(PATIENCE):
        # A client that sends a header line each second has no more time than a silent one.
        while (await asyncio.wait(ends, timeout=1))[1]:
            for _, writer in slow:
                writer.write(b"X-More: header\r\n")
    assert front.log("access.log").count(f'"GET {NOTIFICATIONS} HTTP/1.1" 408 ') == SLOW


def tls_of(front: Nginx) -> dict:
    return {"ssl": front.trust, "server_hostname": NAME, "ssl_handshake_timeout": PATIENCE}


async def opened(front: Nginx, **tls):
    return await asyncio.open_connection("127.0.0.1", front.https, **tls)


async def hung_up(reader, writer) -> None:
    """Read until nginx hangs up."""
    with contextlib.suppress(OSError, ssl.SSLError):
        await reader.read()
    writer.close()


async def test_address_holds_no_more_sockets_than_its_limit(start):
    front = start({"limit_conn connections 500": "limit_conn connections 5"})
    bobs = [await enter(front, token=token("bob")) for _ in range(5)]
    assert await refused_with(front) == 429
    await bobs[0].leave()
    await eventually(lambda: gets_in(front))
    assert not TOKEN.search(front.log("access.log") + front.log("error.log"))
    for bob in bobs:
        await bob.leave()


async def test_address_starts_no_more_handshakes_than_its_rate(start):
    front = start({"rate=50r/s": "rate=1r/m", "burst=500": "burst=4"})
    assert [await gets_in(front) for _ in range(5)] == [True] * 5
    assert await refused_with(front) == 429
    assert not TOKEN.search(front.log("access.log") + front.log("error.log"))


async def gets_in(front: Nginx) -> bool:
    try:
        return await greeting(front) == "connection.established"
    except InvalidStatus:
        return False


async def refused_with(front: Nginx) -> int:
    """Return the status of a handshake with a good token."""
    with pytest.raises(InvalidStatus) as refusal:
        await enter(front, path=f"{NOTIFICATIONS}?token={token('bob')}")
    return refusal.value.response.status_code


@pytest.mark.long
@pytest.mark.parametrize("name", SERVERS)
async def test_idle_socket_outlives_the_proxys_timeout(name, production, tmp_path):
    with (
        listening(name, "tcp", production, tmp_path) as (_, address),
        nginx(tmp_path, [address]) as front,
    ):
        bob = await enter(front, token=token("bob"), ping_interval=None)
        await bob.receive()
        await asyncio.sleep(130)
        await bob.send({"type": "ping", "timestamp": 1})
        assert (await bob.receive())["type"] == "pong"
        await bob.leave()
