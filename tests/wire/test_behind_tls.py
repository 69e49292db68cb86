"""Which page may open a socket behind a proxy that ends TLS, by the headers that it sends."""

import asyncio
import contextlib
from pathlib import Path

import pytest

from tests.lanes import in_full
from tests.wire.servers import COMMANDS, eventually, serving

OWN = "https://app.example.com"
# What a proxy adds to the handshake of its client.
FORWARDED = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "198.51.100.7"}

HANDSHAKE = """GET /ws/notifications/ HTTP/1.1
Upgrade: websocket
Connection: Upgrade
Sec-WebSocket-Key: x3JJHMbDL1EzLkh9GBhXDw==
Sec-WebSocket-Version: 13
"""


async def status(place: str, origin: str, host: str = "app.example.com", **forwarded: str) -> str:
    """Return the status of a handshake as a proxy passes it on, to a port or to a Unix socket."""
    headers = {"Host": host, "Origin": origin} | forwarded
    lines = HANDSHAKE.splitlines() + [f"{name}: {value}" for name, value in headers.items()]
    reader, writer = await connected(place)
    writer.write("\r\n".join([*lines, "", ""]).encode())
    _, code, *_ = (await asyncio.wait_for(reader.readline(), 30)).decode().split()
    writer.close()
    with contextlib.suppress(ConnectionError):
        await writer.wait_closed()
    return code


async def connected(place: str):
    if ":" in place:
        return await asyncio.open_connection(*place.split(":"))
    await eventually(Path(place).exists)
    return await asyncio.open_unix_connection(place)


def command(name: str, *options: str) -> list[str]:
    return [*COMMANDS[name], *options, "config.asgi:application"]


# On which server, with which options, a TCP port and a Unix socket are served.
PLACES = ["realtime.server", *in_full(["realtime.server --proxy-headers", "daphne"])]
PLACES += in_full(["daphne --proxy-headers", "uvicorn", "uvicorn --no-proxy-headers"])


@pytest.fixture(scope="module", params=PLACES)
def served_by(request, production, tmp_path_factory):
    """A server, and its places: the port, and the Unix socket that it has in Daphne's case."""
    name, *options = request.param.split()
    place = str(tmp_path_factory.mktemp("sockets") / "app")
    unix = [] if name == "uvicorn" else ["-u", place]
    with serving(command(name, *options, *unix), **production) as server:
        yield server, [server.address, *([place] if unix else [])]


@pytest.fixture(scope="module", params=["--proxy-headers", "--no-proxy-headers"])
def uvicorn_on_unix(request, production, tmp_path_factory):
    """uvicorn, which believes no header of a peer without an address, in neither case."""
    place = str(tmp_path_factory.mktemp("sockets") / "app")
    command = ["-m", "uvicorn", "--uds", place, request.param, "config.asgi:application"]
    with serving(command, **production) as server:
        yield server, [place]


async def judge(server, place: str) -> None:
    """See which pages are let in at one place of a server in production."""
    assert await status(place, OWN, **FORWARDED) == "101"
    assert await status(place, f"{OWN}:443", **FORWARDED) == "101"
    await foreign_pages_are_refused(server, place)
    await lies_are_refused(place)


async def foreign_pages_are_refused(server, place: str) -> None:
    for origin in ("https://evil.example", "http://app.example.com", f"{OWN}:8443", "null"):
        before = len(server.log)
        assert await status(place, origin, **FORWARDED) == "403"
        told = f"Refused a WebSocket from origin {origin!r}. This server's own is {OWN!r}."
        await eventually(lambda: "REALTIME_ALLOWED_ORIGINS" in "".join(server.log[before:]))  # noqa: B023
        assert "".join(server.log[before:]).count(told) == 1


async def lies_are_refused(place: str) -> None:
    """No setting names X-Forwarded-Host, and the own page is one of TLS."""
    evil = {"X-Forwarded-Host": "evil.example"}
    assert await status(place, "https://evil.example", **FORWARDED, **evil) == "403"
    named = {"X-Forwarded-Host": "app.example.com"}
    assert await status(place, OWN, "evil.example", **FORWARDED, **named) == "403"
    assert await status(place, OWN, **{"X-Forwarded-Proto": "http"}) == "403"


async def test_own_page_behind_tls_is_let_in_and_no_other(served_by):
    server, places = served_by
    for place in places:
        await judge(server, place)


@pytest.mark.full
async def test_own_page_behind_tls_is_let_in_by_uvicorn_on_a_unix_socket(uvicorn_on_unix):
    server, (place,) = uvicorn_on_unix
    await judge(server, place)


@pytest.fixture(params=["realtime.server", *in_full(["daphne", "uvicorn --no-proxy-headers"])])
def without_setting(request, environment, start):
    """A server whose settings name no header of a proxy."""
    name, *options = request.param.split()
    if not options:
        yield start(name, "pubsub")
    else:
        with serving(command(name, *options), **environment) as server:
            yield server


async def test_header_that_no_setting_names_is_not_trusted(without_setting):
    place, host = without_setting.address, "localhost"
    assert await status(place, "https://localhost", host, **FORWARDED) == "403"
    await without_setting.logs(
        "Refused a WebSocket from origin 'https://localhost'. This server's own is "
        "'http://localhost'. If a proxy ends TLS, name the header that says so in "
        "SECURE_PROXY_SSL_HEADER."
    )
    assert await status(place, "http://localhost", host, **FORWARDED) == "101"
