"""Pages of other origins: REST answers the ones that may open a socket, and no others."""

import pytest

from classroom import Client, token
from tests.lanes import in_full
from tests.wire.client_view import handshake
from tests.wire.servers import COMMANDS, serving

LISTED, FOREIGN = "https://app.example.com", "https://evil.example"
WRITTEN = ["https://APP.example.com:443", "capacitor://localhost"]  # as somebody may write them
ALLOWED = [LISTED, "capacitor://localhost"]

ADDRESS = "/api/me/notifications/"
PREFLIGHT = {
    "Access-Control-Request-Method": "POST",
    "Access-Control-Request-Headers": "authorization,content-type",
}


@pytest.fixture(scope="module", params=["realtime.server", *in_full(["uvicorn"])])
def server(request, environment):
    settings = environment | {"REALTIME_ALLOWED_ORIGINS": ", ".join(WRITTEN)}
    with serving([*COMMANDS[request.param], "config.asgi:application"], **settings) as server:
        yield server


def from_page(origin: str) -> dict:
    return {"Origin": origin, "Authorization": f"Bearer {token('alice')}"}


@pytest.mark.parametrize("origin", ALLOWED)
async def test_preflight_of_a_listed_page_may_send_a_token(server, origin):
    async with server.requests() as http:
        answer = await http.options(ADDRESS, headers=PREFLIGHT | {"Origin": origin})
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == origin
    assert "POST" in answer.headers["access-control-allow-methods"]
    allowed = answer.headers["access-control-allow-headers"].split(", ")
    assert {"authorization", "content-type"} <= set(allowed)


@pytest.mark.parametrize("origin", ALLOWED)
async def test_listed_page_reads_the_answer_to_its_token_and_sends_no_cookie(server, origin):
    async with server.requests(headers=from_page(origin)) as http:
        answer = await http.get("/api/me/")
    assert answer.json()["username"] == "alice"
    assert answer.headers["access-control-allow-origin"] == origin
    assert answer.headers["access-control-expose-headers"] == "Retry-After"
    assert "access-control-allow-credentials" not in answer.headers


@pytest.mark.parametrize("origin", [FOREIGN, "http://app.example.com", f"{LISTED}:8443", "null"])
async def test_foreign_page_gets_no_permission(server, origin):
    async with server.requests() as http:
        asked = await http.options(ADDRESS, headers=PREFLIGHT | {"Origin": origin})
        answer = await http.get("/api/me/", headers=from_page(origin))
    for each in (asked, answer):
        assert not [name for name in each.headers if name.startswith("access-control-")]


async def test_addresses_outside_the_api_give_no_permission(server):
    async with server.requests(headers={"Origin": LISTED}) as http:
        answers = [await http.get("/"), await http.options("/admin/", headers=PREFLIGHT)]
    for each in answers:
        assert "access-control-allow-origin" not in each.headers


async def test_sockets_take_the_pages_that_rest_takes(server):
    for origin in ALLOWED:
        alice = await Client.connect(
            f"{server.ws}/ws/notifications/", token=token("alice"), origin=origin
        )
        assert (await alice.receive())["type"] == "connection.established"
        await alice.leave()
    assert await handshake(server, "/ws/notifications/", origin=FOREIGN) == "HTTP 403"
