"""What the app promises, kept with a real Keycloak 26; and what Keycloak does that it relies on."""

import contextlib
from functools import partial

import jwt
import pytest

from api.views import claimed_organizations
from classroom import Client
from demo.people import ORG_ID
from devrealm.accounts import PEOPLE
from devrealm.issue import CLIENT_ID, access_claims
from realtime.identity.tokens import LOGOUT_EVENT, OFFLINE_EVENT
from realtime.protocol.close_codes import CloseCode
from tests import settings as test_settings
from tests.wire.fixtures import watched
from tests.wire.keycloak import Browser, claims_of, join, listening, real_realm
from tests.wire.servers import COMMANDS, eventually, serving

ISSUER = getattr(test_settings, "REAL_KEYCLOAK", None)
pytestmark = [
    pytest.mark.full,
    pytest.mark.skipif(
        not ISSUER, reason='needs a Keycloak: variables=$(.ci/keycloak) && eval "$variables"'
    ),
]

NOTIFICATIONS = "/ws/notifications/"
EVENTS = f"/ws/events/{ORG_ID}/"
ALICE, BOB = PEOPLE["alice"].subject, PEOPLE["bob"].subject


@pytest.fixture(scope="module")
def start(environment, redis_port):
    """Return a function that starts a server which trusts the realm."""

    def start_new(name):
        return serving(
            [*COMMANDS[name], "config.asgi:application"],
            **environment,
            REDIS_HOST="127.0.0.1",
            REDIS_PORT=str(redis_port),
            KEYCLOAK_ISSUER=ISSUER,
            KEYCLOAK_AUDIENCE="reference-app",
            KEYCLOAK_CLIENT_ID=CLIENT_ID,
        )

    return start_new


@pytest.fixture(scope="module", params=COMMANDS)
def running(request, start):
    with start(request.param) as server:
        yield server


@pytest.fixture
def server(running):
    yield from watched(running)


@pytest.fixture
async def realm(shared_database):
    """The realm, of which Alice and Bob are members of the organization."""
    for subject in (ALICE, BOB):
        await join(ISSUER, subject)
    async with real_realm(ISSUER) as realm:
        yield realm


@pytest.fixture
def listener():
    with listening() as listener:
        yield listener


def session_of(tokens):
    return claims_of(tokens["access_token"])["sid"]


async def verdict(server, token, path=NOTIFICATIONS):
    """Return the code that a handshake with this token is refused with, or None."""
    client = await Client.connect(server.ws + path, token=token)
    first = await client.receive()
    await client.leave()
    return first.get("code")


async def is_open(client):
    await client.send({"type": "ping", "timestamp": 1})
    return await client.receive() == {"type": "pong", "timestamp": 1}


# Tokens as Keycloak writes them


async def test_access_token_says_who_for_whom_and_in_which_session(realm):
    tokens = await realm.sign_in("alice")
    claims = claims_of(tokens["access_token"])
    assert (claims["typ"], claims["iss"], claims["sub"]) == ("Bearer", ISSUER, ALICE)
    assert "reference-app" in claims["aud"]
    assert claims["azp"] == CLIENT_ID
    assert claims["sid"] == claims_of(tokens["refresh_token"])["sid"]
    assert claims["exp"] - claims["iat"] == 300
    assert "organization" not in claims


async def test_clients_own_lifespan_goes_before_the_realms(realm):
    async with realm.client_with({"access.token.lifespan": "60"}):
        short = claims_of((await realm.sign_in("alice"))["access_token"])
    usual = claims_of((await realm.sign_in("alice"))["access_token"])
    assert [claims["exp"] - claims["iat"] for claims in (short, usual)] == [60, 300]


@pytest.mark.parametrize("person", PEOPLE.values(), ids=PEOPLE)
async def test_devrealm_stands_in_for_the_realms_people(realm, person):
    real = claims_of((await realm.sign_in(person.username))["access_token"])
    assert real["sub"] == person.subject
    fixed = access_claims(person)
    assert fixed.keys() <= real.keys()
    for name in ("aud", "typ", "azp", "acr", "name", "preferred_username", "email"):
        assert real[name] == fixed[name]
    # In whatever order this Keycloak happens to name them.
    assert set(real["scope"].split()) == set(fixed["scope"].split())


async def test_access_token_of_the_first_grant_and_of_a_refresh_connect(server, realm, connect):
    tokens = await realm.sign_in("alice")
    refreshed = (await realm.refresh(tokens)).json()
    assert refreshed["access_token"] != tokens["access_token"]
    for each in (tokens, refreshed):
        for path in (NOTIFICATIONS, EVENTS):
            alice = await connect(server, path, token=each["access_token"])
            greeting = await alice.receive()
            assert greeting["type"] == "connection.established"
            assert greeting["user_id"] == ALICE


async def test_stranger_to_the_organization_is_closed_4003(server, realm):
    tokens = await realm.sign_in("mallory")
    assert await verdict(server, tokens["access_token"], EVENTS) == CloseCode.FORBIDDEN


@pytest.mark.parametrize("kind", ["id_token", "refresh_token"])
async def test_token_of_another_kind_is_refused(server, realm, kind):
    tokens = await realm.sign_in("alice")
    assert await verdict(server, tokens[kind]) == CloseCode.UNAUTHORIZED
    headers = {"Authorization": f"Bearer {tokens[kind]}"}
    async with server.requests(headers=headers) as http:
        assert (await http.get("/api/me/")).status_code == 401


# The mapper's configuration, and what it makes of the claim.
SHAPES = {
    "list": ({}, ["acme"]),
    "map": ({"jsonType.label": "JSON"}, {"acme": {}}),
    "one": ({"multivalued": "false"}, "acme"),
    "map with ids": ({"addOrganizationId": "true"}, {"acme": {"id": str(ORG_ID)}}),
}


@pytest.mark.parametrize(("config", "claim"), SHAPES.values(), ids=SHAPES)
async def test_organization_claim_of_each_shape_is_read(realm, config, claim):
    async with realm.organization_claim(**config):
        tokens = await realm.sign_in("alice", scope="openid organization")
    claims = claims_of(tokens["access_token"])
    assert claims["organization"] == claim
    assert claimed_organizations(claims) == ["acme"]


async def test_stranger_has_no_organization_claim(realm):
    tokens = await realm.sign_in("mallory", scope="openid organization")
    assert claimed_organizations(claims_of(tokens["access_token"])) == []


# The demo page


@pytest.mark.parametrize("origin", ["http://localhost:8000", "http://127.0.0.1:8000"])
async def test_demo_page_may_ask_for_a_code_with_a_challenge_only(realm, origin):
    asked = {"response_type": "code", "scope": "openid", "redirect_uri": f"{origin}/"}
    challenge = {"code_challenge": "c" * 43, "code_challenge_method": "S256"}
    bare, challenged = [await realm.push(origin, **asked, **more) for more in ({}, challenge)]
    assert bare.json()["error_description"] == "Missing parameter: code_challenge_method"
    assert challenged.status_code == 201
    assert challenged.headers["Access-Control-Allow-Origin"] == origin
    elsewhere = await realm.push(origin, **asked | {"redirect_uri": f"{origin}/admin/"})
    assert elsewhere.json()["error_description"] == "Invalid parameter: redirect_uri"


# The end of a session


async def test_logout_token_names_the_session_and_the_client(realm, listener):
    tokens = await realm.sign_in("alice")
    async with realm.calling(listener.url):
        await realm.sign_out(tokens)
    [token] = listener.logout_tokens
    header, claims = jwt.get_unverified_header(token), claims_of(token)
    assert (header["typ"], header["alg"]) == ("logout+jwt", "RS256")
    assert set(claims) == {"iss", "aud", "sub", "sid", "typ", "events", "iat", "exp", "jti"}
    assert (claims["iss"], claims["aud"], claims["sub"]) == (ISSUER, CLIENT_ID, ALICE)
    assert (claims["typ"], claims["events"]) == ("Logout", {LOGOUT_EVENT: {}})
    assert claims["sid"] == session_of(tokens)
    assert claims["exp"] - claims["iat"] == 120


async def test_logout_token_opens_no_socket(server, realm, listener):
    async with realm.calling(listener.url):
        await realm.sign_out(await realm.sign_in("alice"))
    [token] = listener.logout_tokens
    assert await verdict(server, token) == CloseCode.UNAUTHORIZED


async def test_every_session_of_a_user_that_ends_is_told(realm, listener):
    sessions = {session_of(await realm.sign_in("bob")) for _ in range(2)}
    async with realm.calling(listener.url):
        await realm.end_sessions_of(BOB)
    assert sessions <= {claims_of(token)["sid"] for token in listener.logout_tokens}


# How a session can end, with a call to the app.
ENDINGS = {
    "by the user": lambda realm, tokens: realm.sign_out(tokens),
    "by the administrator": lambda realm, tokens: realm.end_session(session_of(tokens)),
}


@pytest.mark.parametrize("end", ENDINGS.values(), ids=ENDINGS)
async def test_ended_session_closes_its_sockets_and_no_others(server, realm, connect, end):
    ended, other, bobs = [await realm.sign_in(name) for name in ("alice", "alice", "bob")]
    sockets = []
    for tokens in (ended, ended, other, bobs):
        path = EVENTS if len(sockets) == 1 else NOTIFICATIONS
        sockets.append(await connect(server, path, token=tokens["access_token"]))
        assert (await sockets[-1].receive())["type"] == "connection.established"
    async with realm.calling(server.http + "/api/backchannel-logout/"):
        await end(realm, ended)
    for closed in sockets[:2]:
        assert (await closed.receive())["code"] == CloseCode.UNAUTHORIZED
        assert await closed.closed() == CloseCode.UNAUTHORIZED
    assert await verdict(server, ended["access_token"]) == CloseCode.UNAUTHORIZED
    assert await verdict(server, other["access_token"]) is None
    assert [await is_open(client) for client in sockets[2:]] == [True, True]


# Without the option "Backchannel logout session required".
WITHOUT_SESSION = {"backchannel.logout.session.required": "false"}
WITH_OFFLINE = {"backchannel.logout.revoke.offline.tokens": "true"}


async def test_logout_token_without_a_session_names_the_user(realm, listener):
    tokens = await realm.sign_in("alice")
    url = {"backchannel.logout.url": listener.url}
    async with realm.client_with(url | WITHOUT_SESSION | WITH_OFFLINE):
        await realm.sign_out(tokens)
    [token] = listener.logout_tokens
    claims = claims_of(token)
    assert set(claims) == {"iss", "aud", "sub", "typ", "events", "iat", "exp", "jti"}
    assert claims["sub"] == ALICE
    assert claims["events"] == {LOGOUT_EVENT: {}, OFFLINE_EVENT: True}


ENDINGS_OF_ALL = ENDINGS | {
    "all by the administrator": lambda realm, tokens: realm.end_sessions_of(ALICE)
}


@pytest.mark.parametrize("end", ENDINGS_OF_ALL.values(), ids=ENDINGS_OF_ALL)
async def test_logout_without_a_session_closes_the_users_sockets_until_the_next_sign_in(
    server, realm, connect, end
):
    ended, other, bobs = [await realm.sign_in(name) for name in ("alice", "alice", "bob")]
    sockets = []
    for tokens in (ended, other, bobs):
        sockets.append(await connect(server, NOTIFICATIONS, token=tokens["access_token"]))
        assert (await sockets[-1].receive())["type"] == "connection.established"
    url = {"backchannel.logout.url": server.http + "/api/backchannel-logout/"}
    async with realm.client_with(url | WITHOUT_SESSION):
        await end(realm, ended)
    for closed in sockets[:2]:
        assert (await closed.receive())["reason"] == "The session was signed out."
        assert await closed.closed() == CloseCode.UNAUTHORIZED
    assert await verdict(server, other["access_token"]) == CloseCode.UNAUTHORIZED
    assert await is_open(sockets[2])

    async def signs_in_again():
        """Whether a token of a later second than that of the sign-out is let in."""
        return await verdict(server, (await realm.sign_in("alice"))["access_token"]) is None

    await eventually(signs_in_again)


@pytest.mark.parametrize("attributes", [{}, WITH_OFFLINE], ids=["kept", "revoked"])
async def test_offline_access_outlives_the_browsers_session_unless_keycloak_revokes_it(
    server, realm, connect, attributes
):
    browser = Browser(realm.http)
    online = await realm.sign_in_by_code(browser, "alice", "openid")
    offline = await realm.sign_in_by_code(browser, "alice", "openid offline_access")
    assert session_of(online) == session_of(offline)
    sockets = []
    for tokens in (online, offline):
        sockets.append(await connect(server, NOTIFICATIONS, token=tokens["access_token"]))
        assert (await sockets[-1].receive())["type"] == "connection.established"
    url = {"backchannel.logout.url": server.http + "/api/backchannel-logout/"}
    async with realm.client_with(url | attributes):
        await realm.sign_out(online)
    assert (await sockets[0].receive())["reason"] == "The session was signed out."
    if attributes:
        assert (await sockets[1].receive())["reason"] == "The session was signed out."
    else:
        assert await is_open(sockets[1])
        refreshed = (await realm.refresh(offline)).json()["access_token"]
        assert await verdict(server, refreshed) is None
        async with server.requests(headers={"Authorization": f"Bearer {refreshed}"}) as http:
            assert (await http.get("/api/me/")).status_code == 200


# What Keycloak tells nobody: the app learns of it when the token ends.
SILENT = {
    "user disabled": lambda realm, tokens: realm.disabled(BOB),
    "refresh token revoked": lambda realm, tokens: done(realm.revoke(tokens)),
    "all sessions of the realm ended": lambda realm, tokens: done(realm.end_all_sessions()),
}


@contextlib.asynccontextmanager
async def done(change):
    await change
    yield


@pytest.mark.parametrize("change", SILENT.values(), ids=SILENT)
async def test_no_more_tokens_and_not_a_word_to_the_app(realm, listener, change):
    tokens = await realm.sign_in("bob")
    async with realm.calling(listener.url), change(realm, tokens):
        assert (await realm.refresh(tokens)).json()["error"] == "invalid_grant"
    # Keycloak calls within the request that ends a session, so a call would be here.
    assert listener.logout_tokens == []


async def test_disabled_user_keeps_session_and_socket_and_gets_no_token(server, realm, connect):
    tokens = await realm.sign_in("bob")
    bob = await connect(server, NOTIFICATIONS, token=tokens["access_token"])
    assert (await bob.receive())["type"] == "connection.established"
    async with realm.disabled(BOB):
        answers = [
            await realm.refresh(tokens),
            await realm.ask(grant_type="password", username="bob", password="bob"),
        ]
        assert [answer.status_code for answer in answers] == [400, 400]
        assert session_of(tokens) in await realm.sessions_of(BOB)
        assert await is_open(bob)


async def test_disabled_user_who_is_signed_out_too_is_closed_4001(server, realm, connect):
    tokens = await realm.sign_in("bob")
    bob = await connect(server, NOTIFICATIONS, token=tokens["access_token"])
    assert (await bob.receive())["type"] == "connection.established"
    async with realm.calling(server.http + "/api/backchannel-logout/"), realm.disabled(BOB):
        await realm.end_sessions_of(BOB)
        assert (await bob.receive())["code"] == CloseCode.UNAUTHORIZED
        assert await bob.closed() == CloseCode.UNAUTHORIZED


# Keys


async def test_rotated_key_is_learnt_and_the_withdrawn_one_forgotten(start, realm):
    old = (await realm.sign_in("alice"))["access_token"]
    # Servers of its own, so that no other test meets their keys.
    with start("daphne") as daphne, start("uvicorn") as uvicorn:
        for server in (daphne, uvicorn):
            assert await verdict(server, old) is None
        async with realm.rotated_key():
            new = (await realm.sign_in("alice"))["access_token"]
            for server in (daphne, uvicorn):
                await eventually(partial(accepts, server, new))
                assert await verdict(server, old) == CloseCode.UNAUTHORIZED


async def accepts(server, token):
    """Whether the token opens a socket; one with a new key may wait 10 s for the app's cooldown."""
    return await verdict(server, token) is None
