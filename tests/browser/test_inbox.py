"""The hook's inbox: after a reload, in another tab, on another device, for another user."""

import asyncio
import json
import random
import subprocess
from pathlib import Path

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from django.db import transaction

from api.consumers import broadcast_notification
from classroom import token
from devrealm.accounts import PEOPLE
from tests.browser.chromium import fixture
from tests.browser.demo_page import shows, url
from tests.project.frontend import FRONTEND
from tests.wire.fixtures import layer_on, use_database
from tests.wire.servers import PATIENCE

PAGE = Path(__file__).with_name("inbox_page.tsx")

BURST, PART = 1_000, 20


@pytest.fixture(scope="module")
def script():
    """The page as the script that a browser takes."""
    esbuild = FRONTEND / "node_modules" / ".bin" / "esbuild"
    if not esbuild.exists():
        pytest.skip("needs esbuild and React: npm ci in reference_app/frontend")
    bundle = [esbuild, "--bundle", "--loader=tsx", "--jsx=automatic"]
    # React's own checks, such as that of StrictMode, are in its build for development.
    bundle.append('--define:process.env.NODE_ENV="development"')
    options = {"cwd": FRONTEND, "capture_output": True, "text": True, "check": True}
    return subprocess.run(bundle, input=PAGE.read_text(), **options).stdout


@fixture
async def app(start_app, database, redis_port, shared_database):
    """The app with a database of its own, to which the test sends too."""
    with use_database(database):
        async with layer_on(redis_port):
            yield await asyncio.to_thread(start_app, DATABASE_URL=database)


@fixture
async def opened(browser, app, script):
    """Return a function that opens the page on a device of its own, or in a tab of another one."""
    complaints = []

    async def open_page(context=None):
        context = context or await browser.new_context()
        page = await context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        tokens = {name: token(name) for name in ("alice", "bob")}
        await page.add_init_script(f"window.tokens = {json.dumps(tokens)}")
        body = {"body": script, "content_type": "text/javascript"}
        await page.route("**/demo.js", lambda route: route.fulfill(**body))
        await page.goto(url(app))
        return page

    yield open_page
    assert complaints == []


@sync_to_async
@transaction.atomic
def notify(*numbers, name="alice"):
    for number in numbers:
        notification = {"title": f"{name} {number}", "body": ""}
        async_to_sync(broadcast_notification)(PEOPLE[name].subject, notification)


def titles(*numbers, name="alice"):
    return [f"{name} {number}" for number in numbers]


async def listed(page):
    return await page.locator("li").all_text_contents()


async def unread(page, number):
    await shows(page.locator("output"), f"{number} unread")


async def arrived(page, number):
    script = "number => window.inbox?.arrived >= number"
    await page.wait_for_function(script, arg=number, timeout=PATIENCE * 1_000)


async def sends_a_burst():
    for first in range(1, BURST + 1, PART):
        await notify(*range(first, first + PART))


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_page_reloaded_at_any_moment_of_a_burst_shows_each_notification_once(opened, seed):
    page = await opened()
    burst = asyncio.create_task(sends_a_burst())
    for moment in sorted(random.Random(seed).sample(range(BURST), 4)):
        # Each page begins with all that was sent so far, so it is reloaded amid its history too.
        await arrived(page, moment)
        assert await page.evaluate("() => doubles") == 0
        await page.reload()
    await burst
    await unread(page, BURST)
    assert await listed(page) == titles(*range(1, BURST + 1))
    assert await page.evaluate("() => doubles") == 0


async def test_read_marks_agree_between_tabs_after_a_reload_and_on_another_device(opened):
    page = await opened()
    tab = await opened(page.context)
    await notify(*range(1, 6))
    for each in (page, tab):
        await unread(each, 5)
    await page.evaluate("() => inbox.markAsRead(inbox.notifications[1].offset)")
    for each in (page, tab):
        await unread(each, 3)
        assert await each.locator(".unread").all_text_contents() == titles(3, 4, 5)
        await each.reload()
        await unread(each, 3)
    await tab.evaluate("() => inbox.markAsRead()")
    await unread(page, 0)
    await notify(6)
    for each in (page, tab, await opened()):
        await unread(each, 1)
        assert await each.locator(".unread").all_text_contents() == titles(6)


async def test_mark_that_is_moved_while_the_server_is_away_is_kept(opened, app):
    page = await opened()
    await notify(1, 2)
    await unread(page, 2)
    await asyncio.to_thread(app.kill)
    await page.wait_for_function("() => inbox.status.state === 'waiting'")
    await page.evaluate("() => inbox.markAsRead()")
    await asyncio.to_thread(app.start)
    await unread(page, 0)
    await page.reload()
    await unread(page, 0)


async def test_alice_then_bob_in_one_page_and_nothing_of_hers_under_his_name(opened):
    page = await opened()
    await notify(1, 2, 3)
    await notify(1, name="bob")
    await unread(page, 3)
    await page.evaluate("() => inbox.markAsRead()")
    burst = asyncio.create_task(sends_a_burst())
    await arrived(page, 10)
    await page.evaluate("() => signIn('bob')")
    await unread(page, 1)
    await burst
    await notify(2, name="bob")
    await unread(page, 2)
    assert await listed(page) == titles(1, 2, name="bob")
    under_bob = "() => shown.filter(([user]) => user === 'bob').flatMap(([, titles]) => titles)"
    assert {title.split()[0] for title in await page.evaluate(under_bob)} == {"bob"}
    # Nor did her mark become his, and his page did not read hers.
    await page.evaluate("() => signIn('alice')")
    await unread(page, BURST)
