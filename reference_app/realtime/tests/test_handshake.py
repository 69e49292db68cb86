"""Which pages, tokens and keys open a socket, and how the others are told."""

import pytest

from ..protocol.close_codes import CloseCode
from ..senders import broadcast
from ..testing.dialogue import Socket, bearer
from ..testing.tokens import access_token
from .project import (
    ALICE,
    BOB,
    MALLORY,
    OF_TEAM,
    OWN,
    TEAM,
    application,
    established,
    own_topic,
    socket,
    team_topic,
)

pytestmark = [
    pytest.mark.usefixtures("people", "layer"),
    pytest.mark.parametrize("layer", ["pubsub"], indirect=True),
]


async def answer_to(origin: str, path: str = OWN) -> dict:
    """Return the answer to a handshake of a page."""
    headers = [*bearer(access_token(ALICE)), (b"host", b"here.example")]
    client = Socket(application, path, [*headers, (b"origin", origin.encode())])
    await client.send_input({"type": "websocket.connect"})
    answer = await client.receive_output()
    if answer["type"] == "websocket.accept":
        await client.leave()
    return answer


@pytest.fixture(autouse=True)
def not_behind_a_proxy(settings):
    settings.ALLOWED_HOSTS = ["here.example"]
    settings.SECURE_PROXY_SSL_HEADER = None
    settings.USE_X_FORWARDED_HOST = settings.USE_X_FORWARDED_PORT = False


@pytest.mark.parametrize(
    ("origin", "answer"),
    [
        ("http://here.example", "websocket.accept"),
        ("https://app.example", "websocket.accept"),
        ("http://here.example:8000", "websocket.close"),
        ("https://evil.example", "websocket.close"),
        ("null", "websocket.close"),
    ],
)
async def test_page_of_the_server_or_of_a_listed_origin_may_open_a_socket(settings, origin, answer):
    """A close before the accept is HTTP 403 on a server."""
    settings.REALTIME_ALLOWED_ORIGINS = ["https://app.example"]
    assert (await answer_to(origin))["type"] == answer


async def test_unknown_path_is_refused():
    assert (await answer_to("http://here.example", "/ws/unknown/"))["type"] == "websocket.close"


async def test_browser_sends_its_token_as_a_subprotocol():
    offered = ["realtime.v1", f"bearer.{access_token(ALICE)}"]
    async with established(OWN, subprotocols=offered) as client:
        assert (client.selected, client.greeting["user_id"]) == ("realtime.v1", ALICE)


async def test_token_in_the_query_can_be_switched_off(settings):
    address = f"{OWN}?token={access_token(ALICE)}"
    async with established(address) as client:
        assert client.greeting["user_id"] == ALICE
    settings.REALTIME_TOKEN_IN_QUERY = False
    async with socket(address) as client:
        assert (await client.receive())["code"] == CloseCode.UNAUTHORIZED


REFUSED = {
    "none": (lambda: "", "no access token"),
    "garbage": (lambda: "garbage", "malformed"),
    "expired": (lambda: access_token(ALICE, lifespan=-60), "has expired"),
    "another issuer's": (lambda: access_token(ALICE, iss="https://evil.example"), "issuer"),
    "for another app": (lambda: access_token(ALICE, aud="another"), "audience"),
    "an ID token": (lambda: access_token(ALICE, typ="ID"), "access token"),
    "without a subject": (lambda: access_token(ALICE, sub=None), "sub"),
}


@pytest.mark.parametrize(("token", "words"), REFUSED.values(), ids=REFUSED)
async def test_bad_token_is_told_as_4001_after_the_accept(token, words):
    async with socket(OWN, token=token()) as client:
        closing = await client.receive()
        assert (closing["code"], closing["reconnect"]) == (CloseCode.UNAUTHORIZED, True)
        assert words in closing["reason"]
        assert await client.closed() == CloseCode.UNAUTHORIZED


async def test_two_tokens_that_differ_are_refused():
    async with socket(f"{OWN}?token={access_token(BOB)}", ALICE) as client:
        assert (await client.receive())["code"] == CloseCode.UNAUTHORIZED


async def test_stranger_is_told_4003_and_hears_nothing():
    async with established(OF_TEAM, ALICE) as alice, socket(OF_TEAM, MALLORY) as mallory:
        closing = await mallory.receive()
        assert (closing["code"], closing["reason"]) == (4003, "You are not in this team.")
        assert await mallory.closed() == CloseCode.FORBIDDEN
        await broadcast(team_topic, TEAM, {"type": "event", "event_type": "secret"})
        assert (await alice.receive())["event_type"] == "secret"
        assert await mallory.receive_nothing()


async def test_frame_reaches_every_socket_of_its_key_and_no_other():
    async with (
        established(OWN, ALICE) as first,
        established(OWN, ALICE) as second,
        established(OWN, BOB) as bobs,
    ):
        await broadcast(own_topic, ALICE, {"type": "notification", "title": "Hello"})
        for client in (first, second):
            frame = await client.receive()
            assert (frame["title"], frame["offset"]) == ("Hello", 1)
        assert await bobs.receive_nothing()


async def test_user_has_so_many_sockets_and_no_more(settings):
    settings.REALTIME_SOCKETS_PER_USER = 2
    async with established(OWN, ALICE), established(OF_TEAM, ALICE):
        async with socket(OWN, ALICE) as third:
            closing = await third.receive()
            assert (closing["code"], closing["reconnect"]) == (4504, False)
        async with established(OWN, BOB):
            pass


@pytest.mark.parametrize(("key", "error"), [(None, TypeError), (7, TypeError), ("7", ValueError)])
async def test_nothing_is_sent_to_what_is_no_key(key, error):
    with pytest.raises(error, match="`team_id`"):
        await broadcast(team_topic, key, {"type": "event"})
