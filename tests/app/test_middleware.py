import asyncio
import contextlib
import logging

import pytest
from channels.db import database_sync_to_async
from channels.testing import WebsocketCommunicator
from django.db import OperationalError
from uvicorn.logging import AccessFormatter

from devrealm.accounts import PEOPLE
from devrealm.issue import access_token
from realtime import middleware
from realtime.identity import issuers, keys, tokens
from realtime.identity.errors import InvalidTokenError, MissingTokenError
from realtime.middleware import AllowedOriginsValidator, JWTAuthMiddleware
from realtime.models import Identity
from realtime.protocol.close_codes import CloseCode, Refusal
from realtime.server.headers import HideTokenFilter
from realtime.sockets.carriers import find_token
from tests.app.dialogue import NOTIFICATIONS, established, socket
from tests.app.issuer import Issuer, use_keys_of
from tests.lanes import in_full


def scope_with(*, headers=(), query="", subprotocols=(), **more):
    encoded = [(name.encode(), value.encode("latin1")) for name, value in headers]
    return {
        "type": "websocket",
        "headers": encoded,
        "query_string": query.encode(),
        "subprotocols": list(subprotocols),
        **more,
    }


def bearer(token):
    return [("authorization", f"Bearer {token}")]


CARRIED = {
    "header": {"headers": bearer("abc")},
    "header in other case": {"headers": [("authorization", "bearer  abc ")]},
    "subprotocol": {"subprotocols": ["realtime.v1", "bearer.abc"]},
    "query": {"query": "x=1&token=abc"},
    "all three alike": {
        "headers": bearer("abc"),
        "subprotocols": ["bearer.abc"],
        "query": "token=abc",
    },
    "beside another scheme": {"headers": [("authorization", "Basic eA==")], "query": "token=abc"},
}


@pytest.mark.parametrize("carriers", CARRIED.values(), ids=CARRIED)
def test_token_is_found_in_each_carrier(carriers):
    assert find_token(scope_with(**carriers)) == "abc"


@pytest.mark.parametrize(
    "carriers",
    [
        {"headers": bearer("abc"), "query": "token=xyz"},
        {"headers": bearer("abc"), "subprotocols": ["bearer.xyz"]},
        {"headers": [*bearer("abc"), *bearer("xyz")]},
        {"query": "token=abc&token=xyz"},
    ],
)
def test_two_tokens_that_differ_are_refused(carriers):
    with pytest.raises(InvalidTokenError) as refusal:
        find_token(scope_with(**carriers))
    assert refusal.value.code == "tokens_disagree"


@pytest.mark.parametrize(
    "carriers", [{}, {"query": "tok=abc"}, {"subprotocols": ["realtime.v1", "xbearer.abc"]}]
)
def test_no_token_is_missing(carriers):
    with pytest.raises(MissingTokenError):
        find_token(scope_with(**carriers))


def test_query_can_be_switched_off(settings):
    settings.REALTIME_TOKEN_IN_QUERY = False
    with pytest.raises(MissingTokenError):
        find_token(scope_with(query="token=abc"))
    assert find_token(scope_with(headers=bearer("abc"), query="token=xyz")) == "abc"


async def scope_after(middleware_class, **handshake):
    """Return the scope that the inner application sees."""
    seen = {}

    async def application(scope, receive, send):
        seen.update(scope)

    await middleware_class(application)(scope_with(**handshake), None, None)
    return seen


@pytest.mark.usefixtures("people")
async def test_good_token_sets_user_and_claims():
    scope = await scope_after(JWTAuthMiddleware, headers=bearer(access_token("alice")))
    assert scope["token"]["sub"] == PEOPLE["alice"].subject
    assert scope["user"].email == "alice@example.com"
    assert scope["refusal"] is None


@pytest.mark.usefixtures("people")
async def test_disabled_user_is_anonymous_and_unauthorized():
    await disable(PEOPLE["alice"])
    scope = await scope_after(JWTAuthMiddleware, headers=bearer(access_token("alice")))
    assert scope["user"].is_anonymous
    assert scope["refusal"] == Refusal(CloseCode.UNAUTHORIZED, "The user is disabled.")
    assert scope["token"] is None


@database_sync_to_async
def disable(person):
    user = Identity.objects.get(subject=person.subject).user
    user.is_active = False
    user.save()


async def test_bad_token_leaves_an_anonymous_user():
    scope = await scope_after(JWTAuthMiddleware, headers=bearer("garbage"))
    assert scope["user"].is_anonymous
    assert scope["token"] is None
    assert scope["refusal"] == Refusal(CloseCode.UNAUTHORIZED, "The token is malformed.")


async def test_keys_out_of_reach_are_unavailable_and_not_unauthorized(settings):
    use_keys_of(settings, KEYS_URL="http://127.0.0.1:9/certs")
    scope = await scope_after(JWTAuthMiddleware, headers=bearer(access_token("alice")))
    assert scope["refusal"].code == CloseCode.UNAVAILABLE


async def test_database_out_of_reach_is_unavailable_and_logged(monkeypatch, caplog):
    async def fail(claims):
        raise OperationalError("no such host")

    monkeypatch.setattr(middleware, "load_user", fail)
    scope = await scope_after(JWTAuthMiddleware, headers=bearer(access_token("alice")))
    assert scope["refusal"].code == CloseCode.UNAVAILABLE
    assert "User could not be loaded" in caplog.text


@pytest.mark.usefixtures("transactional_db")
async def test_every_visit_is_the_same_user():
    headers = bearer(access_token("alice"))
    first, second = [await scope_after(JWTAuthMiddleware, headers=headers) for _ in range(2)]
    assert first["user"] == second["user"]


async def test_scope_of_the_server_stays_as_it_was():
    async def application(scope, receive, send):
        pass

    scope = scope_with()
    await JWTAuthMiddleware(application)(scope, None, None)
    assert scope == scope_with()


ORIGINS = {
    "own": ("http://localhost:8000", True),
    "own in other case": ("HTTP://LOCALHOST:8000", True),
    "listed": ("https://app.example.com", True),
    "listed with its default port": ("https://app.example.com:443", True),
    "own host, other port": ("http://localhost:9000", False),
    "own host, other scheme": ("https://localhost:8000", False),
    "listed host, other scheme": ("http://app.example.com", False),
    "listed host, other port": ("https://app.example.com:8443", False),
    "subdomain": ("https://x.app.example.com", False),
    "foreign": ("https://evil.example", False),
    "sandboxed": ("null", False),
    "empty": ("", False),
    "broken address": ("http://[bad", False),
    "impossible port": ("http://localhost:99999", False),
    "two in one": ("http://localhost:8000, https://evil.example", False),
}


@pytest.mark.parametrize(("origin", "allowed"), ORIGINS.values(), ids=ORIGINS)
async def test_origin_is_allowed_by_scheme_host_and_port(settings, caplog, origin, allowed):
    settings.REALTIME_ALLOWED_ORIGINS = ["https://app.example.com"]
    headers = [(b"host", b"localhost:8000"), (b"origin", origin.encode())]
    assert await is_let_in(headers) == allowed
    assert len(caplog.records) == (0 if allowed else 1)
    assert ("This server's own is 'http://localhost:8000'" in caplog.text) == (not allowed)


async def is_let_in(headers) -> bool:
    async def application(scope, receive, send):
        await send({"type": "websocket.accept"})

    client = WebsocketCommunicator(AllowedOriginsValidator(application), "/", headers)
    let_in, _ = await client.connect()
    await client.disconnect()
    return let_in


async def test_client_without_origin_is_no_browser_and_let_in():
    assert await is_let_in([(b"host", b"localhost:8000")])


async def test_page_of_a_host_that_is_not_ours_is_refused():
    """DNS rebinding: the page's own name leads here."""
    assert not await is_let_in([(b"host", b"evil.example"), (b"origin", b"http://evil.example")])


async def test_sandboxed_page_of_a_host_that_is_not_ours_is_refused():
    """Neither origin can be read, which does not make them equal."""
    assert not await is_let_in([(b"host", b"evil.example"), (b"origin", b"null")])


SPELLINGS = ["token", "TOKEN", "%74oken", "t%6Fke%6e", "%54%4f%4b%45%4E", "%74%6F%6B%65%6E"]


@pytest.mark.parametrize("name", SPELLINGS)
@pytest.mark.parametrize("value", ["eyJ.a.b", "'eyJ.a.b", '"eyJ.a.b'])
def test_token_is_taken_out_of_a_log_line(name, value):
    url = f"/ws/?{name}={value}&x=1"
    for message, args in ((url, None), ("%s", (url,)), ("%(url)s", ({"url": url},))):
        record = logging.LogRecord("uvicorn.error", logging.INFO, "", 0, message, args, None)
        assert HideTokenFilter().filter(record)
        assert record.getMessage() == f"/ws/?{name}=…&x=1"


@pytest.mark.parametrize("name", SPELLINGS)
def test_access_log_of_uvicorn_is_written_without_the_token(name):
    parts = ("127.0.0.1:5", "GET", f"/api/me/?x=1&{name}=eyJ.a.b", "1.1", 401)
    line = logging.LogRecord("", logging.INFO, "", 0, '%s - "%s %s HTTP/%s" %d', parts, None)
    assert HideTokenFilter().filter(line)
    written = AccessFormatter("%(request_line)s", use_colors=False).format(line)
    assert written == f"GET /api/me/?x=1&{name}=… HTTP/1.1"


def test_uvicorns_log_goes_through_the_filter(caplog):
    for name in ("uvicorn.error", "uvicorn.access"):
        logging.getLogger(name).warning("%s [accepted]", "/ws/?token=eyJ.a.b")
    assert caplog.messages == ["/ws/?token=… [accepted]"] * 2


def test_other_log_lines_stay_as_they_are():
    record = logging.LogRecord("uvicorn.error", logging.INFO, "", 0, "%s tokens", (3,), None)
    assert HideTokenFilter().filter(record)
    assert (record.msg, record.args) == ("%s tokens", (3,))


async def test_user_that_cannot_be_loaded_in_time_is_unavailable(settings, monkeypatch):
    async def hang(claims):
        await asyncio.Event().wait()

    settings.REALTIME_CONNECT_SECONDS = 0.1
    monkeypatch.setattr("realtime.middleware.load_user", hang)
    async with asyncio.timeout(4):
        scope = await scope_after(JWTAuthMiddleware, headers=bearer(access_token("alice")))
    assert scope["refusal"].code == CloseCode.UNAVAILABLE
    assert scope["token"] is None


@pytest.mark.parametrize("layer", ["pubsub"], indirect=True)
@pytest.mark.parametrize("number", [60, *in_full([350])])
async def test_forged_key_ids_keep_no_known_key_waiting_while_the_issuer_hangs(
    settings, people, layer, monkeypatch, number
):
    """More of them than handshakes may be worked on at once."""
    settings.REALTIME_CONNECT_SECONDS = 60
    monkeypatch.setattr(issuers, "FETCH_TIMEOUT", 60)
    monkeypatch.setattr(tokens, "FETCH_PATIENCE", 60)
    monkeypatch.setattr(keys, "COOLDOWN", 0)
    issuer = Issuer()
    issuer.make_key("first")
    use_keys_of(settings, KEYS_URL=issuer.url)
    good = issuer.token("first")
    async with contextlib.AsyncExitStack() as sockets:
        await sockets.enter_async_context(established(NOTIFICATIONS, token=good))
        issuer.asked.clear()
        issuer.answers.clear()
        forged = [
            asyncio.create_task(refusal_of(issuer.token("forged", named=f"forged {each}")))
            for each in range(number)
        ]
        assert await asyncio.to_thread(issuer.asked.wait, 60)
        await sockets.enter_async_context(established(NOTIFICATIONS, token=good))
        assert not any(task.done() for task in forged)
        issuer.answers.set()
        assert {*await asyncio.gather(*forged)} == {"The token is signed with an unknown key."}
        issuer.close()


async def refusal_of(token):
    async with socket(NOTIFICATIONS, token=token) as client:
        return (await client.receive())["reason"]
