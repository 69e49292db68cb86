"""Sockets of users who are signed in by Django's session cookie."""

import asyncio
import time
from datetime import timedelta
from types import SimpleNamespace

import pytest
from asgiref.sync import sync_to_async
from channels.testing import WebsocketCommunicator
from django.contrib.auth import (
    BACKEND_SESSION_KEY,
    HASH_SESSION_KEY,
    SESSION_KEY,
    get_user,
    get_user_model,
    login,
    logout,
    update_session_auth_hash,
)
from django.contrib.auth.backends import AllowAllUsersModelBackend, ModelBackend
from django.contrib.sessions.backends.file import SessionStore as FileStore
from django.contrib.sessions.models import Session
from django.core.cache import cache, caches
from django.core.cache.backends.base import InvalidCacheKey
from django.core.management import call_command
from django.db import OperationalError
from django.test import RequestFactory
from django.utils import timezone

from api.consumers import broadcast_notification
from api.topics import organization_topic
from demo.people import ORG_ID
from devrealm.accounts import PEOPLE
from devrealm.issue import access_token
from realtime import receivers
from realtime.authority import sessions as sessions_module
from realtime.authority.access import (
    COOKIE_ENDED,
    COOKIE_EXPIRED,
    NOT_SIGNED_IN,
    USER_DISABLED,
    Access,
    check_access,
)
from realtime.authority.registry import registry
from realtime.authority.sessions import SessionKey, signed_in
from realtime.middleware import AllowedOriginsValidator, SessionAuthMiddleware
from realtime.models import EndedSession
from realtime.protocol.close_codes import CloseCode
from realtime.signals import access_ended
from realtime.testing.dialogue import Socket
from tests.app.browsers import APPLICATION, Browser, user_of
from tests.app.dialogue import EVENTS, NOTIFICATIONS, established
from tests.lanes import in_full
from tests.wire.servers import eventually

pytestmark = pytest.mark.usefixtures("people", "layer")
ON_PUBSUB = pytest.mark.parametrize("layer", ["pubsub"], indirect=True)

ALICE, BOB, MALLORY = PEOPLE["alice"], PEOPLE["bob"], PEOPLE["mallory"]
BACKEND = "django.contrib.auth.backends.ModelBackend"
ENGINES = ["db", "cached_db", "cache", "file", "signed_cookies"]


@pytest.fixture(autouse=True)
def only_announcements_are_followed_in_time(settings):
    settings.REALTIME_RECHECK_SECONDS = 3_600
    # Passwords are changed here, which takes a second each with Django's usual hasher.
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture(params=["db"])
def engine(request, settings, tmp_path, monkeypatch):
    settings.SESSION_ENGINE = f"django.contrib.sessions.backends.{request.param}"
    monkeypatch.setattr(FileStore, "_storage_path", str(tmp_path), raising=False)
    cache.clear()
    yield request.param
    cache.clear()


def on_engines(*names):
    return pytest.mark.parametrize("engine", names, indirect=True)


async def closed_with(client) -> str:
    """Return why a socket closes with 4001."""
    closing = await client.receive()
    assert (closing["type"], closing["code"]) == ("connection.closing", CloseCode.UNAUTHORIZED)
    assert await client.closed() == CloseCode.UNAUTHORIZED
    return closing["reason"]


async def lives(client) -> bool:
    await client.send({"type": "ping"})
    return (await client.receive())["type"] == "pong"


# Who is let in.


@ON_PUBSUB
@on_engines(*ENGINES)
async def test_user_of_a_session_is_let_in_by_each_engine(engine):
    alice = await Browser().sign_in(ALICE)
    async with alice.opens() as socket, alice.opens(EVENTS) as events:
        pk = str(alice.user.pk)
        assert (socket.greeting["user_id"], events.greeting["org_id"]) == (pk, str(ORG_ID))
        expires_at = socket.greeting["expires_at"]
        assert expires_at > timezone.now().isoformat()
        await broadcast_notification(pk, {"title": "To the session"})
        assert (await socket.receive())["notification"]["title"] == "To the session"


@ON_PUBSUB
async def test_consumer_reads_a_digest_and_never_the_key(caplog):
    caplog.set_level("DEBUG")
    seen = {}

    async def application(scope, receive, send):
        seen.update(scope)

    alice = await Browser().sign_in(ALICE)
    scope = {"type": "websocket", "headers": alice.headers, "query_string": b""}
    await SessionAuthMiddleware(application)(scope, None, None)
    assert seen["user"] == alice.user
    assert seen["token"].keys() == {"sub", "sid", "iat", "exp"}
    assert seen["token"]["sub"] == str(alice.user.pk)
    assert seen["token"]["sid"] == alice.digest
    row = await Session.objects.aget()
    assert row.expire_date.timestamp() <= seen["token"]["exp"] < row.expire_date.timestamp() + 1
    access = Access.of(seen["token"], session_key=seen["session_key"])
    assert alice.key not in f"{access!r} {access} {seen['token']}"


def request_with(data):
    """Return a request whose session is a row with this data, which may delete it."""
    store = sessions_module.session_store()()
    store.update(data)
    store.save()
    return SimpleNamespace(session=store)


class Picky(ModelBackend):
    def get_user(self, user_id):
        user = super().get_user(user_id)
        return user if user and user.email.startswith("alice") else None


def hash_of(user):
    return {HASH_SESSION_KEY: user.get_session_auth_hash()}


SESSIONS = {
    "good": lambda user: hash_of(user),
    "anonymous": lambda user: {SESSION_KEY: None},
    "without a backend": lambda user: hash_of(user) | {BACKEND_SESSION_KEY: None},
    "of a backend that is no longer used": lambda user: (
        hash_of(user) | {BACKEND_SESSION_KEY: "django.contrib.auth.backends.RemoteUserBackend"}
    ),
    "of a backend that refuses the user": lambda user: (
        hash_of(user) | {BACKEND_SESSION_KEY: f"{__name__}.Picky"}
    ),
    "of a user who is gone": lambda user: hash_of(user) | {SESSION_KEY: "0"},
    "without a hash": lambda user: {},
    "with an empty hash": lambda user: {HASH_SESSION_KEY: ""},
    "with another hash": lambda user: {HASH_SESSION_KEY: "x" * 64},
    "signed with a secret that is being replaced": lambda user: {
        HASH_SESSION_KEY: next(user.get_session_auth_fallback_hash())
    },
}


@ON_PUBSUB
@pytest.mark.parametrize("person", [ALICE, BOB], ids=["alice", "bob"])
@pytest.mark.parametrize("data", SESSIONS.values(), ids=SESSIONS)
async def test_session_has_the_user_that_django_finds_and_stays_as_it_is(settings, data, person):
    settings.AUTHENTICATION_BACKENDS = [BACKEND, f"{__name__}.Picky"]
    settings.SECRET_KEY_FALLBACKS = ["the secret of last year"]

    def compare():
        user = user_of(person)
        usual = {SESSION_KEY: str(user.pk), BACKEND_SESSION_KEY: BACKEND} | data(user)
        request = request_with({name: value for name, value in usual.items() if value is not None})
        key = SessionKey(request.session.session_key)
        before = [*Session.objects.values()]
        found = signed_in({key}).get(key)
        assert [*Session.objects.values()] == before
        expected = get_user(request)
        assert (found.user if found else None) == (expected if expected.pk else None)

    await sync_to_async(compare)()


@ON_PUBSUB
@pytest.mark.parametrize("hashed", ["", "always the same"])
async def test_empty_hash_is_no_proof_of_a_password(monkeypatch, hashed):
    """A user model may have a hash of its own, and Django takes no empty one."""
    alice = await Browser().sign_in(ALICE)
    monkeypatch.setattr(get_user_model(), "get_session_auth_hash", lambda self: hashed)
    await alice.sign_in(ALICE)
    key = SessionKey(alice.key)
    assert bool(await sync_to_async(signed_in)({key})) == bool(hashed)
    user = await sync_to_async(get_user)(SimpleNamespace(session=alice.session()))
    assert user.is_authenticated == bool(hashed)


@ON_PUBSUB
@pytest.mark.parametrize("backend", [ModelBackend, AllowAllUsersModelBackend])
async def test_disabled_user_is_refused_whatever_the_backend(settings, backend):
    path = f"{backend.__module__}.{backend.__name__}"
    settings.AUTHENTICATION_BACKENDS = [path]
    alice = await Browser().sign_in(ALICE)
    await get_user_model().objects.filter(pk=alice.user.pk).aupdate(is_active=False)
    async with alice.tries() as socket:
        assert await closed_with(socket) == USER_DISABLED.reason


@ON_PUBSUB
@on_engines("db", "cache", *in_full(["cached_db", "file", "signed_cookies"]))
@pytest.mark.parametrize(
    "cookie",
    [
        None,
        "",
        "short",
        "x" * 32,
        "with space",
        "x" * 200,
        "x" * 5_000,
        '"\\000\\001\\002\\003\\004\\005\\006\\007"',
        "../../../etc/passwd",
        "ü" * 32,
    ],
    ids=lambda cookie: repr(cookie)[:20],
)
async def test_client_without_a_session_is_told_that_it_is_not_signed_in(engine, cookie):
    headers = [(b"host", b"testserver"), (b"origin", b"http://testserver")]
    if cookie is not None:
        headers.append((b"cookie", f"sessionid={cookie}".encode()))
    client = Socket(APPLICATION, NOTIFICATIONS, headers)
    await client.connect()
    assert await closed_with(client) == NOT_SIGNED_IN.reason
    await client.disconnect()


@ON_PUBSUB
async def test_anonymous_session_is_not_signed_in_and_an_expired_one_is_told():
    alice = await Browser().sign_in(ALICE)
    await Session.objects.aupdate(expire_date=timezone.now() - timedelta(seconds=1))
    async with alice.tries() as socket:
        assert await closed_with(socket) == COOKIE_EXPIRED.reason
    stranger = Browser()
    session = await sync_to_async(request_with)({"basket": ["tea"]})
    stranger.http.cookies["sessionid"] = session.session.session_key
    async with stranger.tries() as socket:
        assert await closed_with(socket) == NOT_SIGNED_IN.reason


def read_nothing(self, keys):
    raise ConnectionError("no cache at the key 0123456789")


@ON_PUBSUB
@on_engines("cache")
async def test_store_out_of_reach_is_no_sign_out(engine, settings, monkeypatch, caplog):
    """Django takes it for one, and its pages ask to sign in."""
    settings.REALTIME_RECHECK_SECONDS = 0.2
    alice = await Browser().sign_in(ALICE)
    async with alice.opens() as socket:
        with monkeypatch.context() as away:
            away.setattr(type(caches["default"]), "get_many", read_nothing)
            async with alice.tries() as second:
                assert (await second.receive())["code"] == CloseCode.UNAVAILABLE
            await eventually(lambda: "Access check failed" in caplog.text)
        assert await lives(socket)
        await sync_to_async(logout)(request_of(alice))
        assert await closed_with(socket) == COOKIE_ENDED.reason
    assert "the sessions could not be read (ConnectionError)" in caplog.text
    assert "0123456789" not in caplog.text


@ON_PUBSUB
@on_engines("cache")
async def test_long_cookie_does_not_fail_the_look_up_of_others(engine, monkeypatch):
    """As it would in memcached, which many cookies are looked up in by one call."""
    usual = type(caches["default"]).get_many

    def get_many(self, names):
        if any(len(self.make_key(name)) > 250 for name in names):
            raise InvalidCacheKey
        return usual(self, names)

    alice = await Browser().sign_in(ALICE)
    monkeypatch.setattr(type(caches["default"]), "get_many", get_many)
    keys = {SessionKey(alice.key), SessionKey("x" * 300)}
    assert {*await sync_to_async(signed_in)(keys)} == {SessionKey(alice.key)}


@ON_PUBSUB
async def test_database_out_of_reach_is_unavailable(monkeypatch, caplog):
    def fail(keys):
        raise OperationalError("no such host")

    alice = await Browser().sign_in(ALICE)
    monkeypatch.setattr("realtime.authority.access.signed_in", fail)
    async with alice.tries() as socket:
        assert (await socket.receive())["code"] == CloseCode.UNAVAILABLE
    assert "Session could not be loaded: OperationalError('no such host')" in caplog.text


@ON_PUBSUB
async def test_session_that_cannot_be_loaded_in_time_is_unavailable(settings, monkeypatch):
    async def hang(scope, key):
        await asyncio.Event().wait()

    settings.REALTIME_CONNECT_SECONDS = 1
    alice = await Browser().sign_in(ALICE)
    monkeypatch.setattr("realtime.middleware.sign_in", hang)
    async with alice.tries() as socket:
        assert (await socket.receive())["code"] == CloseCode.UNAVAILABLE


# Which page may use the cookie.


async def is_let_in(browser, application=APPLICATION) -> bool:
    client = WebsocketCommunicator(application, NOTIFICATIONS, browser.headers)
    let_in, _ = await client.connect()
    await client.disconnect()
    return let_in


PAGES = {
    "its own": ("http://testserver", None),
    "a listed": ("https://app.example.com", None),
    "another": ("https://evil.example", "from origin 'https://evil.example'"),
    "a sandboxed": ("null", "from origin 'null'"),
    "no": (None, "without an Origin"),
}


@ON_PUBSUB
@pytest.mark.parametrize("guard", [lambda app: app, AllowedOriginsValidator], ids=["bare", "both"])
@pytest.mark.parametrize(("origin", "warning"), PAGES.values(), ids=PAGES)
async def test_page_needs_an_allowed_origin_and_is_refused_once(
    settings, caplog, guard, origin, warning
):
    settings.REALTIME_ALLOWED_ORIGINS = ["https://app.example.com"]
    browser = await Browser(origin).sign_in(ALICE)
    caplog.clear()
    assert await is_let_in(browser, guard(APPLICATION)) == (warning is None)
    refused = [each for each in caplog.messages if "Refused" in each]
    assert len(refused) == (1 if warning else 0)
    assert warning is None or warning in refused[0]


# What ends a socket.


def request_of(browser):
    """Return a request as a view gets it, with the browser's session."""
    request = RequestFactory().get("/")
    request.session, request.user = browser.session(), browser.user
    return request


def change_password(browser):
    user = get_user_model().objects.get(pk=browser.user.pk)
    user.set_password("another")
    user.save()


def disable(browser):
    browser.user.is_active = False
    browser.user.save()


def sign_in_as_another(browser):
    login(request_of(browser), user_of(BOB), BACKEND)


OF_THE_SESSION = {
    "logout": lambda browser: logout(request_of(browser)),
    "flush": lambda browser: browser.session().flush(),
    "new key": lambda browser: browser.session().cycle_key(),
    "another user": sign_in_as_another,
    "row deleted": lambda browser: Session.objects.get(session_key=browser.key).delete(),
    "rows deleted": lambda browser: Session.objects.filter(session_key=browser.key).delete(),
}
OF_THE_USER = {
    "password changed": (change_password, COOKIE_ENDED),
    "user disabled": (disable, USER_DISABLED),
    "user deleted": (lambda browser: browser.user.delete(), COOKIE_ENDED),
}


@on_engines("db", *in_full(["cached_db"]))
@pytest.mark.parametrize("end", OF_THE_SESSION.values(), ids=OF_THE_SESSION)
async def test_session_that_ends_closes_its_sockets_and_no_others(engine, end):
    alice, phone = await Browser().sign_in(ALICE), await Browser().sign_in(ALICE)
    bob = await Browser().sign_in(BOB)
    async with (
        alice.opens() as first,
        alice.opens(EVENTS) as second,
        phone.opens() as other,
        bob.opens() as stranger,
    ):
        await sync_to_async(end)(alice)
        for socket in (first, second):
            assert await closed_with(socket) == COOKIE_ENDED.reason
        assert await lives(other) and await lives(stranger)
    async with alice.tries() as again:
        assert await closed_with(again) == NOT_SIGNED_IN.reason


@ON_PUBSUB
@on_engines("cache", "file", "signed_cookies")
async def test_logout_closes_the_sockets_of_a_session_that_is_no_row(engine):
    """Django sends the signal before it deletes the session, and a signed cookie stays good."""
    alice, phone = await Browser().sign_in(ALICE), await Browser().sign_in(ALICE)
    if engine == "signed_cookies":
        phone.http.cookies["sessionid"] = await sync_to_async(signed_later)(phone)
    async with alice.opens() as socket, phone.opens() as other:
        await sync_to_async(logout)(request_of(alice))
        assert await closed_with(socket) == COOKIE_ENDED.reason
        assert await lives(other)
    async with alice.tries() as again:
        assert await closed_with(again) == NOT_SIGNED_IN.reason


def signed_later(browser):
    """Return another cookie of the same data, which those of one second are not."""
    session = browser.session()
    session["device"] = "phone"
    session.save()
    return session.session_key


@pytest.mark.parametrize(("end", "refusal"), OF_THE_USER.values(), ids=OF_THE_USER)
async def test_user_who_may_no_longer_closes_all_sessions(end, refusal):
    alice, phone = await Browser().sign_in(ALICE), await Browser().sign_in(ALICE)
    bob = await Browser().sign_in(BOB)
    async with alice.opens() as first, phone.opens() as second, bob.opens() as stranger:
        await sync_to_async(end)(alice)
        for socket in (first, second):
            assert await closed_with(socket) == refusal.reason
        assert await lives(stranger)


@ON_PUBSUB
async def test_page_that_changes_its_own_password_comes_back_with_its_new_cookie():
    """And is asked to wait for it, because the old cookie is refused at once."""
    alice = await Browser().sign_in(ALICE)
    request = await sync_to_async(request_of)(alice)

    def change():
        request.user.set_password("another")
        request.user.save()
        update_session_auth_hash(request, request.user)
        request.session.save()

    async with alice.opens() as socket:
        await sync_to_async(change)()
        closing = await socket.receive()
        assert (closing["reconnect"], closing["retry_after_ms"]) == (True, 2_000)
    alice.http.cookies["sessionid"] = request.session.session_key
    async with alice.opens():
        pass


@ON_PUBSUB
async def test_login_and_deleted_expired_sessions_announce_nothing(monkeypatch):
    announced = []
    monkeypatch.setattr(receivers, "announce", lambda **change: announced.append(change))
    alice = await Browser().sign_in(ALICE)
    await alice.sign_in(ALICE)
    await Session.objects.aupdate(expire_date=timezone.now() - timedelta(seconds=1))
    await sync_to_async(call_command)("clearsessions")
    assert not await Session.objects.aexists()
    assert announced == []
    await sync_to_async(change_password)(alice)
    assert announced == [{"user": str(alice.user.pk)}]


@ON_PUBSUB
@on_engines("cache")
@pytest.mark.parametrize("user", [None, "alice"])
async def test_logout_of_a_session_without_a_user_is_noted_nowhere(engine, user):
    alice = await Browser().sign_in(ALICE)
    request = await sync_to_async(request_of)(alice)
    request.user = alice.user if user else None
    await sync_to_async(logout)(request)
    assert await EndedSession.objects.acount() == (1 if user else 0)


@ON_PUBSUB
@on_engines("cache")
async def test_logout_succeeds_where_its_note_cannot_be_written(engine, monkeypatch, caplog):
    def fail(session):
        raise OperationalError("no such host")

    monkeypatch.setattr(receivers, "end_session", fail)
    alice = await Browser().sign_in(ALICE)
    await sync_to_async(logout)(request_of(alice))
    assert not await sync_to_async(lambda: dict(alice.session().items()))()
    assert "A sign-out could not be announced: OperationalError('no such host')" in caplog.text


def delete_silently(browser):
    rows = Session.objects.filter(session_key=browser.key)
    rows._raw_delete(rows.db)


def expire_silently(browser):
    Session.objects.filter(session_key=browser.key).update(expire_date=timezone.now())


def empty_silently(browser):
    session = browser.session()
    session.pop(SESSION_KEY)
    session.save()


def exchange_user_silently(browser):
    """Put another user's sign-in under the same key, which Django never does."""
    session, bob = browser.session(), user_of(BOB)
    session.update({SESSION_KEY: str(bob.pk)} | hash_of(bob))
    session.save()


SILENT = {
    "user exchanged": ("db", exchange_user_silently, COOKIE_ENDED),
    "row deleted by SQL": ("db", delete_silently, COOKIE_ENDED),
    "expiry shortened": ("db", expire_silently, COOKIE_EXPIRED),
    "user taken out": ("db", empty_silently, COOKIE_ENDED),
    "cache cleared": ("cache", lambda browser: cache.clear(), COOKIE_ENDED),
    "file deleted": ("file", lambda browser: browser.session().delete(), COOKIE_ENDED),
}


@ON_PUBSUB
@pytest.mark.parametrize(
    ("engine", "end", "refusal"), SILENT.values(), ids=SILENT, indirect=["engine"]
)
async def test_end_that_no_signal_tells_is_found_by_the_periodic_check(
    engine, settings, end, refusal
):
    settings.REALTIME_RECHECK_SECONDS = 0.2
    alice = await Browser().sign_in(ALICE)
    async with alice.opens() as socket, established(NOTIFICATIONS, "bob") as bob:
        assert await lives(socket)
        await sync_to_async(end)(alice)
        assert await closed_with(socket) == refusal.reason
        assert await lives(bob)


# Its expiry.


async def signed_in_for(person, seconds):
    browser = await Browser().sign_in(person)
    await extend(browser, seconds)
    return browser


async def extend(browser, seconds):
    later = timezone.now() + timedelta(seconds=seconds)
    await Session.objects.filter(session_key=browser.key).aupdate(expire_date=later)


@ON_PUBSUB
async def test_socket_ends_with_its_session_and_hears_nothing_before(monkeypatch):
    """The leeway that a token has, for the clock of its issuer, does not count here."""
    for module in ("expiry", "connection"):
        monkeypatch.setattr(f"realtime.sockets.{module}.LEEWAY", 3_600)
    alice = await signed_in_for(ALICE, 1)
    async with alice.opens() as socket:
        row = await Session.objects.aget()
        assert await closed_with(socket) == COOKIE_EXPIRED.reason
        assert time.time() >= row.expire_date.timestamp()


@ON_PUBSUB
async def test_session_that_requests_extend_keeps_its_socket_open():
    alice, bob = await signed_in_for(ALICE, 1), await signed_in_for(BOB, 1)
    async with alice.opens() as socket, bob.opens() as stranger:
        await extend(alice, 3_600)
        assert await closed_with(stranger) == COOKIE_EXPIRED.reason
        assert await lives(socket)
        (consumer,) = [s for s in registry().everyone() if s.access.user == str(alice.user.pk)]
        await eventually(lambda: consumer.access.expires_at > time.time() + 3_000)


@ON_PUBSUB
async def test_socket_ends_soon_after_its_expiry_though_the_database_does_not_say(
    settings, monkeypatch
):
    settings.REALTIME_RECHECK_SECONDS = 0.2
    monkeypatch.setattr("realtime.authority.registry.LEEWAY", 1)
    alice = await signed_in_for(ALICE, 1)
    async with alice.opens() as socket:
        monkeypatch.setattr("realtime.authority.registry.check", unavailable)
        assert await closed_with(socket) == COOKIE_EXPIRED.reason


async def unavailable(accesses):
    raise OperationalError("no such host")


@ON_PUBSUB
async def test_clock_that_jumps_ahead_ends_the_sessions_that_it_passes(settings, monkeypatch):
    settings.REALTIME_RECHECK_SECONDS = 0.2
    usual = time.time
    alice = await Browser().sign_in(ALICE)
    async with alice.opens() as socket:
        monkeypatch.setattr("realtime.authority.registry.check", unavailable)
        monkeypatch.setattr(time, "time", lambda: usual() + settings.SESSION_COOKIE_AGE + 60)
        assert await closed_with(socket) == COOKIE_EXPIRED.reason


@ON_PUBSUB
async def test_expiry_is_not_followed_by_a_socket_that_has_left():
    alice = await Browser().sign_in(ALICE)
    async with alice.opens():
        (consumer,) = registry().everyone()
    consumer.expire_at(int(time.time()) + 3_600)
    assert consumer.expiry.timer.cancelled()


@ON_PUBSUB
async def test_session_takes_no_token():
    alice = await Browser().sign_in(ALICE)
    async with alice.opens() as socket:
        await socket.send({"type": "token.refresh", "token": access_token("alice")})
        error = await socket.receive()
        assert (error["type"], error["code"]) == ("error", "token_refused")
        assert "session" in error["message"]
        assert await lives(socket)


# What it shares with tokens.


async def both(scope, receive, send):
    """A process that takes a token where there is one, else a session."""
    from config.asgi import application as by_token

    carried = any(name == b"authorization" for name, _ in scope["headers"])
    await (by_token if carried else APPLICATION)(scope, receive, send)


@ON_PUBSUB
async def test_sockets_of_a_user_are_counted_together_by_token_and_by_session(settings):
    settings.REALTIME_SOCKETS_PER_USER = 2
    alice = await Browser().sign_in(ALICE)
    async with alice.opens() as socket, established(NOTIFICATIONS, "alice") as by_token:
        async with alice.tries() as third:
            assert (await third.receive())["code"] == CloseCode.TOO_MANY_CONNECTIONS
        await sync_to_async(alice.session().flush)()
        assert await closed_with(socket) == COOKIE_ENDED.reason
        assert await lives(by_token)
        await sync_to_async(disable)(alice)
        assert await closed_with(by_token) == USER_DISABLED.reason


@ON_PUBSUB
async def test_limits_and_metrics_know_the_users_of_sessions(settings):
    settings.REALTIME_RESUMED_BYTES_PER_MINUTE = 1_000
    settings.REALTIME_MESSAGE_BURST = 3
    causes = []

    def note(cause, **kwargs):
        causes.append(cause)

    access_ended.connect(note)
    alice = await Browser().sign_in(ALICE)
    async with alice.opens() as socket:
        start = socket.greeting["position"]
        await broadcast_notification(str(alice.user.pk), {"title": "x" * 900})
        await socket.receive()
        for _ in range(4):
            await socket.send({"type": "ping"})
        assert [(await socket.receive())["type"] for _ in range(3)] == ["pong"] * 3
        assert (await socket.receive())["code"] == CloseCode.RATE_LIMITED
    async with alice.opens(f"{NOTIFICATIONS}?position={start}") as socket:
        assert (await socket.receive())["type"] == "notification"
    async with alice.opens(f"{NOTIFICATIONS}?position={start}") as socket:
        assert (await socket.receive())["code"] == CloseCode.RATE_LIMITED
    async with alice.opens() as socket:
        await sync_to_async(alice.session().flush)()
        await closed_with(socket)
    brief = await signed_in_for(BOB, 1)
    async with brief.opens() as socket:
        await closed_with(socket)
    assert causes == ["session_ended", "session_expired"]


@ON_PUBSUB
@pytest.mark.parametrize("number", [1, 300])
@on_engines("db", "cached_db")
async def test_sessions_of_many_sockets_are_asked_for_by_four_queries(
    engine, number, django_assert_num_queries
):
    """One for sessions, one for users, one for sign-outs, and one for the topic."""
    alice, bob = await Browser().sign_in(ALICE), await Browser().sign_in(BOB)
    rows = [row async for row in Session.objects.filter(session_key__in=[alice.key, bob.key])]
    keys = [SessionKey(f"session{n}") for n in range(number)]
    for n, key in enumerate(keys):
        rows[n % 2].session_key = key.value
        await rows[n % 2].asave(force_insert=True)
    asked = [
        Access("", key.digest, organization_topic, str(ORG_ID), session_key=key) for key in keys
    ]
    cache.clear()

    def check():
        with django_assert_num_queries(4):
            assert {each.refusal for each in check_access(asked).values()} == {None}

    await sync_to_async(check)()


@ON_PUBSUB
async def test_sessions_and_tokens_are_asked_for_together(django_assert_num_queries):
    alice = await Browser().sign_in(ALICE)
    key = SessionKey(alice.key)
    asked = [Access("", key.digest, session_key=key), Access(BOB.subject, "s")]
    bob = await sync_to_async(user_of)(BOB)

    def check():
        with django_assert_num_queries(4):
            found = check_access(asked)
        assert [found[each].user for each in asked] == [alice.user, bob]

    await sync_to_async(check)()
