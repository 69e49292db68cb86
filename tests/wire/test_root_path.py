"""Where the application is mounted: by the server's argument, and not by a client's header."""

import re

import pytest

from classroom import token
from tests.wire.client_view import handshake, opened, received
from tests.wire.servers import COMMANDS, serving

OURS = COMMANDS["realtime.server"]
HEADER = {"Daphne-Root-Path": "/elsewhere"}


@pytest.fixture(scope="module")
def mounted(environment):
    with serving([*OURS, "--root-path", "/chat", "config.asgi:application"], **environment) as it:
        yield it


@pytest.mark.full
@pytest.mark.parametrize("path", ["/api/me/", "/chatter/", "/"])
async def test_request_outside_the_root_path_is_404(mounted, path):
    async with mounted.requests() as http:
        answer = await http.get(path)
    assert answer.status_code == 404
    assert answer.json()["error"] == "not_found"
    assert not any("Traceback" in line for line in mounted.log)


@pytest.mark.full
async def test_handshake_outside_the_root_path_is_403(mounted):
    assert await handshake(mounted, "/ws/notifications/") == "HTTP 403"
    assert not any("Traceback" in line for line in mounted.log)


@pytest.mark.full
async def test_what_is_below_the_root_path_is_served(mounted):
    async with mounted.requests() as http:
        assert (await http.get("/chat/api/me/")).status_code == 401
    async with opened(mounted, f"/chat/ws/notifications/?token={token('alice')}") as socket:
        assert "connection.established" in await received(socket)


@pytest.mark.full
async def test_page_below_the_root_path_finds_its_files(mounted):
    async with mounted.requests() as http:
        page = await http.get("/chat/")
        for file in re.findall(r'(?:href|src)="([^"]+)"', page.text):
            assert (await http.get(page.url.join(file).path)).status_code == 200


async def test_client_does_not_say_where_the_application_is(start):
    server = start("realtime.server", "pubsub")
    async with server.requests(headers=HEADER) as http:
        answer = await http.get("/admin/")
    assert answer.headers["location"] == "/admin/login/?next=/admin/"
    path = f"/ws/notifications/?token={token('alice')}"
    async with opened(server, path, additional_headers=HEADER) as socket:
        assert "connection.established" in await received(socket)
