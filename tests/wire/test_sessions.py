"""Django's session cookie over the wire: a browser signs in over HTTP, and opens sockets.

Two processes serve it, and a third one, which is this one, changes rows.
"""

from contextlib import ExitStack, contextmanager
from uuid import uuid4

import httpx
import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth import get_user_model
from django.contrib.sessions.models import Session
from websockets.exceptions import InvalidStatus

from api.consumers import broadcast_notification
from classroom import token
from realtime.protocol.close_codes import CloseCode
from tests.wire.fixtures import RECHECK_SECONDS, layer_on, watched
from tests.wire.servers import COMMANDS, PATIENCE, serving

pytestmark = pytest.mark.full

NOTIFICATIONS = "/ws/notifications/"
PASSWORD = "correct horse battery staple"
CACHE = {
    "DJANGO_SETTINGS_MODULE": "tests.wire.variants.sessions_in_a_cache",
    "REALTIME_RECHECK_SECONDS": "1",
}


class Browser:
    """Signs in by the form of the admin, and opens sockets as the page of a server."""

    def __init__(self, server, http, connect):
        self.server, self.http, self.open_socket = server, http, connect

    async def post(self, path, **form):
        """Send a form of a page, as its script or its button would."""
        if "csrftoken" not in self.http.cookies:
            await self.http.get("/admin/login/")
        form["csrfmiddlewaretoken"] = self.http.cookies["csrftoken"]
        answer = await self.http.post(path, data=form)
        assert answer.status_code in (200, 302), answer.text
        return answer

    async def sign_in(self, user, password=PASSWORD):
        await self.post("/admin/login/", username=user.get_username(), password=password)
        return self

    @property
    def cookie(self) -> str:
        return self.http.cookies["sessionid"]

    def connect(self, server, *, origin: str | None = "", path=NOTIFICATIONS):
        """Open a socket to a server, from its own page, another one, or from a program."""
        headers = {"Cookie": f"sessionid={self.cookie}"}
        origin = server.http if origin == "" else origin
        return self.open_socket(server, path, headers=headers, origin=origin)

    async def opens(self, server):
        """Open a socket that is let in."""
        client = await self.connect(server)
        assert (await client.receive())["type"] == "connection.established"
        return client


def create_user():
    name = f"session user {uuid4()}"
    return get_user_model().objects.create_superuser(name, f"{uuid4()}@example.com", PASSWORD)


@pytest.fixture
async def user(shared_database):
    return await sync_to_async(create_user)()


@contextmanager
def pair_of_servers(environment, redis_port, names=("realtime.server", "uvicorn"), **changed):
    usual = {
        "REDIS_HOST": "127.0.0.1",
        "REDIS_PORT": str(redis_port),
        "REALTIME_RECHECK_SECONDS": str(RECHECK_SECONDS),
    }
    with ExitStack() as stack:
        yield [
            stack.enter_context(
                serving(
                    [*COMMANDS[name], "tests.wire.variants.signs_in_by_session:application"],
                    **environment | usual | changed,
                )
            )
            for name in names
        ]


@pytest.fixture(scope="module")
def running_pair(environment, redis_port):
    with pair_of_servers(environment, redis_port) as servers:
        yield servers


@pytest.fixture
async def pair(running_pair, redis_port, shared_database):
    """Two servers, whose logs must hold no token, no traceback and none of the sessions' keys."""
    with ExitStack() as stack:
        for server in running_pair:
            stack.enter_context(contextmanager(watched)(server))
        async with layer_on(redis_port):
            yield running_pair


@pytest.fixture
async def browse(connect):
    """Return a function that opens a browser at a server, without a session."""
    browsers, servers = [], []

    def open_browser(server):
        http = httpx.AsyncClient(base_url=server.http, timeout=PATIENCE)
        browsers.append(Browser(server, http, connect))
        servers.append(server)
        return browsers[-1]

    yield open_browser
    keys = [value for each in browsers if (value := each.http.cookies.get("sessionid"))]
    for browser in browsers:
        await browser.http.aclose()
    assert [key for key in keys for server in servers if key in "".join(server.log)] == []


async def assert_closed(client, code=CloseCode.UNAUTHORIZED):
    assert (await client.receive())["code"] == code
    assert await client.closed() == code


async def assert_lives(client, user):
    await broadcast_notification(str(user.pk), {"title": "after"})
    assert (await client.receive())["notification"]["title"] == "after"


async def test_signing_out_closes_the_sockets_of_the_session_in_every_process(pair, browse, user):
    laptop, phone = [await browse(server).sign_in(user) for server in pair]
    sockets = [await laptop.opens(server) for server in pair]
    others = [await phone.opens(server) for server in pair]
    key = laptop.cookie
    await laptop.post("/admin/logout/")
    for client in sockets:
        await assert_closed(client)
    for client in others:
        await broadcast_notification(str(user.pk), {"title": "after"})
        assert (await client.receive())["notification"]["title"] == "after"
        await client.leave()
    laptop.http.cookies.set("sessionid", key)
    await assert_closed(await laptop.connect(pair[0]))


@pytest.mark.parametrize("name", COMMANDS)
async def test_page_of_another_origin_and_a_program_get_403_with_the_cookie(
    environment, redis_port, browse, user, name
):
    with pair_of_servers(environment, redis_port, [name]) as (server,):
        browser = await browse(server).sign_in(user)
        for origin in ("https://evil.example", "null", None):
            with pytest.raises(InvalidStatus) as refusal:
                await browser.connect(server, origin=origin)
            assert refusal.value.response.status_code == 403
        await browser.opens(server)
        await server.logs("from origin 'https://evil.example'")
        await server.logs("without an Origin")


async def test_new_password_closes_all_sockets_and_its_page_comes_back(pair, browse, user):
    laptop, phone = [await browse(server).sign_in(user) for server in pair]
    sockets = [await browser.opens(server) for browser in (laptop, phone) for server in pair]
    new = PASSWORD[::-1]
    form = {"old_password": PASSWORD, "new_password1": new, "new_password2": new}
    answer = await laptop.post("/admin/password_change/", **form)
    assert answer.status_code == 302
    for client in sockets:
        await assert_closed(client)
    await laptop.opens(pair[1])
    await assert_closed(await phone.connect(pair[0]))


async def test_row_that_another_process_deletes_closes_the_sockets_of_its_session(
    pair, browse, user
):
    laptop, phone = [await browse(server).sign_in(user) for server in pair]
    sockets = [await laptop.opens(server) for server in pair]
    other = await phone.opens(pair[0])
    await Session.objects.filter(session_key=laptop.cookie).adelete()
    for client in sockets:
        await assert_closed(client)
    await assert_lives(other, user)


async def test_tokens_and_sessions_are_taken_by_one_process(pair, browse, user, connect):
    browser = await browse(pair[0]).sign_in(user)
    by_session = await browser.opens(pair[0])
    by_token = await connect(pair[0], f"/tokens{NOTIFICATIONS}", token=token("alice"))
    assert (await by_token.receive())["type"] == "connection.established"
    user.is_active = False
    await user.asave()
    await assert_closed(by_session)
    await by_token.send({"type": "ping"})
    assert (await by_token.receive())["type"] == "pong"


async def test_session_in_a_cache_ends_by_a_logout_and_else_by_the_periodic_check(
    environment, redis_port, browse, user, redis
):
    with pair_of_servers(environment, redis_port, **CACHE) as pair:
        laptop, phone = [await browse(server).sign_in(user) for server in pair]
        sockets = [await laptop.opens(server) for server in pair]
        others = [await phone.opens(server) for server in pair]
        await laptop.post("/admin/logout/")
        for client in sockets:
            await assert_closed(client)
        for client in others:
            await client.send({"type": "ping"})
            assert (await client.receive())["type"] == "pong"
        assert await redis.delete(f":1:django.contrib.sessions.cache{phone.cookie}") == 1
        for client in others:
            await assert_closed(client)
