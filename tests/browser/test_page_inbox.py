"""The inbox of a user, which is the same after a reload and in each tab."""

import asyncio

from api.consumers import broadcast_notification
from devrealm.accounts import PEOPLE
from tests.browser.demo_page import (
    counts,
    flawless,
    press,
    session,
    shows,
    titled,
    unread,
    visit,
)
from tests.browser.test_page_under_stress import BURST, MOST_ENTRIES, notify_alice, title

ALICE = PEOPLE["alice"].subject


def titles(page):
    listed = session(page, "Alice").get_by_role("list", name="Notifications")
    return listed.locator("strong")


async def notify(*words):
    for word in words:
        await broadcast_notification(ALICE, {"title": word, "body": ""})


async def test_inbox_is_there_again_after_a_reload(tab, shared_app, layer):
    await visit(tab, shared_app)
    alice = session(tab, "Alice")
    await notify("One", "Two", "Three")
    await shows(unread(alice), "3 unread")
    await alice.get_by_role("button", name="Mark read: Two").click()
    await shows(unread(alice), "1 unread")
    await tab.reload()
    await shows(unread(alice), "1 unread")
    assert await titles(tab).all_text_contents() == ["Three", "Two", "One"]
    await counts(alice.get_by_role("button", name="Mark read:"), 1)
    await notify("Four")
    await shows(unread(alice), "2 unread")
    await titled(tab, "(2) Django Channels, live")


async def test_what_is_read_in_one_tab_is_read_in_the_other(browser, tab, shared_app, layer):
    await visit(tab, shared_app)
    await notify("One", "Two")
    async with flawless(browser) as other:
        await visit(other, shared_app)
        for page in (tab, other):
            await shows(unread(session(page, "Alice")), "2 unread")
        await press(session(other, "Alice"), "Mark all read")
        for page in (tab, other):
            await counts(unread(session(page, "Alice")), 0)
            await counts(session(page, "Alice").get_by_role("button", name="Mark read:"), 0)


async def test_page_that_is_reloaded_in_a_burst_shows_each_notification_once(
    tab, shared_app, layer
):
    await visit(tab, shared_app)
    burst = asyncio.create_task(notify_alice())
    while not burst.done():
        await tab.reload()
    await burst
    await shows(unread(session(tab, "Alice")), f"{BURST:,} unread")
    newest_first = [title(BURST - number) for number in range(MOST_ENTRIES)]
    assert await titles(tab).all_text_contents() == newest_first
