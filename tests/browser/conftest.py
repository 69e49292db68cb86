import contextlib
import os
import subprocess
import sys
from pathlib import Path

import pytest
import pytest_asyncio
from asgiref.sync import sync_to_async
from django.contrib.auth import get_user_model
from django.db import connections
from pytest_asyncio import is_async_test

from api.topics import user_topic
from demo.people import settle
from devrealm.accounts import PEOPLE
from realtime.delivery import streams
from realtime.identity.issuers import trusted_issuer
from realtime.models import Entry, Identity, ReadMark
from tests.browser.chromium import CHROMIUM, LOOP, fixture, started
from tests.browser.demo_page import flawless
from tests.wire.fixtures import PREPARE, layer_on
from tests.wire.parts import AppServer

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items):
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker("browser")
            item.add_marker("full")
            if is_async_test(item):
                item.add_marker(pytest.mark.asyncio(loop_scope=LOOP), append=False)


@pytest_asyncio.fixture(scope="session", loop_scope=LOOP)
async def chromium():
    """The Chromium of this worker."""
    reason = "needs Playwright: pip install -e '.[browser]'"
    pytest.importorskip("playwright.async_api", reason=reason)
    if CHROMIUM is None:
        pytest.skip("needs Chromium: Debian calls it chromium")
    async with started() as chromium:
        yield chromium


@fixture
async def browser(chromium):
    """The worker's Chromium; in the end every page is closed, with its cookies and its cache."""
    yield chromium
    for context in chromium.contexts:
        await context.close()


@fixture
async def page(browser, server):
    """A page that the server itself delivered."""
    page = await browser.new_page()
    await page.goto(f"{server.http}/api/me/")
    return page


@contextlib.contextmanager
def starting(environment, redis_port):
    """Yield a function that starts servers; in the end none of them may have logged a traceback."""
    servers = []
    usual = environment | {
        "REDIS_HOST": "127.0.0.1",
        "REDIS_PORT": str(redis_port),
        "REALTIME_DRAIN_SECONDS": "1",
    }

    def start_one(name="realtime.server", application="config.asgi:application", **settings):
        server = AppServer(name, application, **usual | settings)
        servers.append(server)
        server.start()
        return server

    yield start_one
    for server in servers:
        server.kill()
        if "tests.wire.variants.ping_raises:application" not in server.command:
            log = "".join(server.log)
            assert "Traceback" not in log, log


@fixture
async def tab(browser):
    """An empty page; in the end it must have complained of nothing."""
    async with flawless(browser) as page:
        yield page


@fixture
async def begun(shared_database):
    """Let everybody have an empty inbox, because the page shows what was sent before it came."""
    await sync_to_async(empty_inboxes)()
    # A test may go on with a database of its own, which only a new connection finds.
    await sync_to_async(connections.close_all)()


def empty_inboxes():
    Entry.objects.all().delete()
    for person in PEOPLE.values():
        at = streams.position(user_topic.stream(person.subject))
        identity = Identity.objects.get(issuer=trusted_issuer().issuer, subject=person.subject)
        mark = {"stream_id": at.stream_id, "user_id": identity.user_id}
        ReadMark.objects.update_or_create(**mark, defaults={"offset": at.head})


@pytest.fixture
def start_app(environment, redis_port, begun):
    """Return a function that starts a server of the test's own, to kill, stop and start again."""
    with starting(environment, redis_port) as start_one:
        yield start_one


@pytest.fixture(scope="module")
def shared_server(environment, redis_port):
    """The server for all tests of a file, which leave it running."""
    with starting(environment, redis_port) as start_one:
        yield start_one()


@pytest.fixture
def shared_app(shared_server, begun):
    """The app for all tests of a file, with empty inboxes."""
    return shared_server


@pytest.fixture
def app(start_app):
    """The app on the server that drains, with its usual settings."""
    return start_app()


@pytest.fixture
def database(environment, tmp_path):
    """The URL of a new database, whose streams begin at 0."""
    url = f"sqlite:///{tmp_path}/own.sqlite3"
    own = os.environ | environment | {"DATABASE_URL": url}
    subprocess.run([sys.executable, "-c", PREPARE], env=own, check=True)
    return url


@fixture
async def restored(shared_database):
    """Make everybody again who they were, once the test is over."""
    yield
    await sync_to_async(restore)()


def restore():
    get_user_model().objects.update(is_active=True)
    settle()


@fixture
async def layer(redis_port, shared_database):
    """Let `broadcast_…` in the test reach the server, as from another process."""
    async with layer_on(redis_port):
        yield
