"""Who is refused, and what a client can read of it, on each server."""

import asyncio
from uuid import uuid4

import jwt
import pytest
from websockets.exceptions import InvalidStatus

from classroom import token
from demo.people import ORG_ID
from devrealm.issue import access_token
from realtime.protocol.close_codes import CloseCode
from realtime.sockets.carriers import SUBPROTOCOL
from tests.wire.fixtures import watched

NOTIFICATIONS = "/ws/notifications/"
EVENTS = f"/ws/events/{ORG_ID}/"

OTHER_KEY = "not the realm's key, but long enough for HS256"
BAD_TOKENS = {
    "none": None,
    "expired": access_token("alice", lifespan=-60),
    "forged": jwt.encode({"sub": "alice"}, OTHER_KEY, headers={"kid": "forged"}),
    "garbage": "garbage",
}


@pytest.mark.parametrize("bad", BAD_TOKENS.values(), ids=BAD_TOKENS)
@pytest.mark.parametrize("path", [NOTIFICATIONS, EVENTS], ids=["notifications", "events"])
async def test_client_without_a_good_token_reads_4001(server, connect, path, bad):
    client = await connect(server, path, token=bad)
    closing = await client.receive()
    assert closing["type"] == "connection.closing"
    assert (closing["code"], closing["reconnect"]) == (4001, True)
    assert closing["reason"]
    assert await client.closed() == CloseCode.UNAUTHORIZED == 4001
    # Daphne drops the reason (daphne#374), which is why the frame above carries it.
    assert client.socket.close_reason in ("", closing["reason"])


async def test_stranger_reads_4003(server, connect):
    mallory = await connect(server, EVENTS, "mallory")
    closing = await mallory.receive()
    assert (closing["type"], closing["code"]) == ("connection.closing", 4003)
    assert (closing["reconnect"], closing["retry_after_ms"]) == (False, None)
    assert await mallory.closed() == CloseCode.FORBIDDEN == 4003


async def test_unknown_organization_is_refused_like_a_strangers(server, connect):
    frames = []
    for path in (EVENTS, "/ws/events/00000000-0000-4000-8000-00000000dead/"):
        mallory = await connect(server, path, "mallory")
        frames.append(await mallory.receive())
    assert frames[0] == frames[1]


@pytest.mark.parametrize("path", ["/", "/ws/", "/ws/chat/", "/ws/events/not-a-uuid/", EVENTS + "x"])
async def test_unknown_path_is_refused_with_403(server, connect, path):
    with pytest.raises(InvalidStatus) as refusal:
        await connect(server, path, "alice")
    assert refusal.value.response.status_code == 403


@pytest.mark.parametrize("origin", ["https://evil.example", "http://localhost:1", "null"])
async def test_foreign_origin_is_refused_with_403_and_logged_once(server, connect, origin):
    before, the_next = len(server.log), f"https://{uuid4()}.example"
    for each in (origin, the_next):
        with pytest.raises(InvalidStatus) as refusal:
            await connect(server, NOTIFICATIONS, "alice", origin=each)
        assert refusal.value.response.status_code == 403
    await server.logs(the_next)
    assert sum(f"origin {origin!r}" in line for line in server.log[before:]) == 1


@pytest.mark.parametrize("origin", ["http://[bad", "http://a:99999"])
async def test_origin_that_is_no_url_is_refused_too(server, connect, origin):
    with pytest.raises(InvalidStatus) as refusal:
        await connect(server, NOTIFICATIONS, "alice", origin=origin)
    # Daphne's autobahn says 400 before the application is asked.
    assert refusal.value.response.status_code in (400, 403)


async def test_own_origin_and_no_origin_are_let_in(server, connect):
    for options in ({"origin": server.http}, {}):
        alice = await connect(server, NOTIFICATIONS, "alice", **options)
        assert (await alice.receive())["type"] == "connection.established"


async def test_page_on_another_port_of_this_host_is_refused(server, connect):
    with pytest.raises(InvalidStatus):
        await connect(server, NOTIFICATIONS, "alice", origin="http://127.0.0.1:1")


CARRIERS = {
    "header": lambda token: {"headers": {"Authorization": f"Bearer {token}"}},
    "subprotocol": lambda token: {"subprotocols": [SUBPROTOCOL, f"bearer.{token}"]},
    "query": lambda token: {"path": f"{NOTIFICATIONS}?token={token}"},
}


@pytest.mark.parametrize("carry", CARRIERS.values(), ids=CARRIERS)
async def test_each_carrier_brings_the_token(server, connect, carry):
    options = {"path": NOTIFICATIONS} | carry(token("alice"))
    alice = await connect(server, **options)
    assert (await alice.receive())["type"] == "connection.established"


@pytest.mark.full
async def test_uvicorn_logs_no_token_however_its_name_is_spelled(start, connect):
    """Our own servers log no query, so that `watched` would have nothing to find."""
    for server in watched(start("uvicorn", "pubsub")):
        for name in ("token", "%74oken", "%54OKEN"):
            mark, query = uuid4(), f"{name}={token('alice')}"
            alice = await connect(server, f"{NOTIFICATIONS}?mark={mark}&{query}")
            expected = "connection.closing" if "OKEN" in name else "connection.established"
            assert (await alice.receive())["type"] == expected
            async with server.requests() as http:
                assert (await http.get(f"/api/me/?mark={mark}&{query}")).status_code == 401
            await server.logs(f"/api/me/?mark={mark}&{name}=…")
            assert any(f"{NOTIFICATIONS}?mark={mark}&{name}=…" in line for line in server.log)


async def test_server_selects_the_subprotocol_and_never_the_token(server, connect):
    offered = [f"bearer.{token('alice')}", SUBPROTOCOL]
    alice = await connect(server, NOTIFICATIONS, subprotocols=offered)
    assert alice.subprotocol == SUBPROTOCOL


async def test_two_tokens_that_differ_are_4001(server, connect):
    path = f"{NOTIFICATIONS}?token={token('bob')}"
    client = await connect(server, path, "alice")
    assert (await client.receive())["code"] == CloseCode.UNAUTHORIZED


async def test_rest_api_gives_the_same_verdict(server):
    async with server.requests() as http:
        for bad in BAD_TOKENS.values():
            headers = {"Authorization": f"Bearer {bad}"} if bad else {}
            answer = await http.get("/api/me/", headers=headers)
            assert answer.status_code == 401
            assert set(answer.json()) == {"error", "message"}


async def test_two_hundred_refusals_at_once_are_all_read(server, connect):
    clients = await asyncio.gather(*(connect(server, NOTIFICATIONS) for _ in range(200)))
    codes = [(await client.receive())["code"] for client in clients]
    assert codes == [CloseCode.UNAUTHORIZED] * 200
