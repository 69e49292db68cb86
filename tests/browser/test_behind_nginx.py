"""The demo page behind nginx with TLS, where people sign in at a real Keycloak."""

import asyncio
import itertools
import shutil

import pytest

from api.consumers import broadcast_notification
from devrealm.issue import CLIENT_ID
from realtime.models import Entry
from tests import settings as test_settings
from tests.browser.chromium import fixture, started
from tests.browser.demo_page import OUTAGE, flawless, frames, press, session, shows
from tests.browser.test_keycloak_sign_in import ask_to_sign_in, fill_in, is_connected, notifications
from tests.lanes import in_long_unless
from tests.project.readme import ROOT
from tests.wire.keycloak import copied_realm, join, real_realm
from tests.wire.nginx import NAME, nginx
from tests.wire.parts import AppServer
from tests.wire.servers import ServerProcess, eventually
from tests.wire.test_nginx import ON_UNIX

ISSUER = getattr(test_settings, "REAL_KEYCLOAK", None)
pytestmark = pytest.mark.skipif(
    not ISSUER, reason='needs a Keycloak: variables=$(.ci/keycloak) && eval "$variables"'
)

APPLICATION = "config.asgi:application"
STATIC = [ROOT / "reference_app" / app / "static" for app in ("demo", "realtime")]

# Notifications while a server stops, as many while it is away, and as many when it is back.
AT_A_TIME = 5


class UnixServer(AppServer):
    """A server that can be stopped and started again on its Unix socket."""

    def __init__(self, name, path, **environment):
        super().__init__(name, APPLICATION, **environment)
        self.path = path
        self.command = ["-m", name, *ON_UNIX[name], str(path), APPLICATION]

    def start(self):
        self.path.unlink(missing_ok=True)
        self.life = ServerProcess(self.command, **self.environment)
        asyncio.run(eventually(self.path.exists))


@pytest.fixture(scope="module")
def issuer():
    with copied_realm(ISSUER) as issuer:
        yield issuer


@pytest.fixture
def deployment(production, issuer):
    """The environment of servers that trust the realm."""
    return production | {
        "KEYCLOAK_ISSUER": issuer,
        "KEYCLOAK_AUDIENCE": "reference-app",
        "KEYCLOAK_CLIENT_ID": CLIENT_ID,
        "REALTIME_DRAIN_SECONDS": "1",
    }


@pytest.fixture
def servers(request, deployment, tmp_path):
    """Two servers of one kind, started, with the address of each as nginx spells it."""
    name, transport = request.param
    if transport == "tcp":
        found = [AppServer(name, APPLICATION, **deployment) for _ in range(2)]
        addresses = [f"127.0.0.1:{each.port}" for each in found]
    else:
        paths = [tmp_path / f"{number}.sock" for number in range(2)]
        found = [UnixServer(name, path, **deployment) for path in paths]
        addresses = [f"unix:{path}" for path in paths]
    try:
        for server in found:
            server.start()
        yield found, addresses
    finally:
        for server in found:
            server.kill()
    assert "Traceback" not in "".join(line for server in found for line in server.log)


@pytest.fixture
def front(servers, tmp_path):
    """nginx as shipped, with the static files, before both servers."""
    folder = tmp_path / "nginx"
    folder.mkdir()
    for source in STATIC:
        shutil.copytree(source, folder / "static", dirs_exist_ok=True)
    with nginx(folder, servers[1]) as front:
        yield front


@fixture
async def subject(issuer, front, shared_database):
    """Alice of this realm, who is a member, and whom Keycloak sends back to the page."""
    async with real_realm(issuer) as realm:
        subject = await realm.subject_of("alice")
        await join(issuer, subject)
        # The page shows what was sent before it came, by the test before this one too.
        await Entry.objects.all().adelete()
        async with realm.client_with(redirectUris=[f"{front.origin}/"], webOrigins=["+"]):
            yield subject


@fixture
async def page(front):
    """An empty page of a Chromium that finds the site's name here, and takes its certificate."""
    async with started(f"--host-resolver-rules=MAP {NAME} 127.0.0.1") as chromium:
        context = await chromium.new_context(ignore_https_errors=True)
        async with flawless(context, OUTAGE) as page:
            yield page


async def send(subject, numbers, times=AT_A_TIME):
    for number in itertools.islice(numbers, times):
        await broadcast_notification(subject, {"title": f"Number {number}"})


async def restart_in_turn(servers, subject, numbers):
    """Restart one server after the other, and send notifications all the while."""
    for server in servers:
        stop = asyncio.create_task(asyncio.to_thread(server.stop))
        await send(subject, numbers)
        await stop
        await send(subject, numbers)
        await asyncio.to_thread(server.start)
        await send(subject, numbers)


@pytest.mark.parametrize(
    "servers",
    [
        pytest.param((name, transport), id=f"{name}-{transport}", marks=in_long_unless(in_full))
        for name, transport, in_full in [
            ("realtime.server", "tcp", True),
            ("realtime.server", "unix", False),
            ("uvicorn", "tcp", False),
            ("uvicorn", "unix", True),
        ]
    ],
    indirect=True,
)
@pytest.mark.usefixtures("layer")
async def test_page_behind_tls_survives_a_rolling_restart(servers, front, subject, page):
    await page.goto(front.origin)
    await ask_to_sign_in(page)
    await fill_in(page, "alice")
    await is_connected(page, "Alice")
    alice = session(page, "Alice")

    await press(alice, "Notify me")
    await shows(notifications(page), "Hello, Alice")
    await press(alice, "Create a resource")
    await shows(alice.get_by_role("list", name="Organization feed"), "resource.created")

    numbers = itertools.count(1)
    await restart_in_turn(servers[0], subject, numbers)
    await shows(frames(alice, "1012 RESTART").first, "1012")
    await send(subject, numbers, times=1)
    expected = [f"Number {number}" for number in range(next(numbers) - 1, 0, -1)]
    await eventually_lists(page, [*expected, "Hello, Alice"])
    await is_connected(page, "Alice")


async def eventually_lists(page, titles):
    """Wait until the page lists these notifications, each once, the newest first."""

    async def listed():
        return await notifications(page).all_text_contents() == titles

    await eventually(listed)
