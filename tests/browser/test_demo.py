"""The demo as a new user runs it: one command, and every button of a session pressed once."""

import pytest

from tests.browser.demo_page import (
    OUTAGE,
    SOCKETS,
    counts,
    flawless,
    frames,
    press,
    session,
    shows,
    status,
)
from tests.wire.fixtures import demo_served

NAMES = ["Alice", "Bob"]


@pytest.fixture
def demo(tmp_path):
    with demo_served(tmp_path) as server:
        yield server


async def all_connected(page):
    for name in NAMES:
        for socket in SOCKETS:
            await shows(status(session(page, name), socket), "Connected")


async def test_every_button_of_the_demo_does_what_it_says(browser, demo):
    async with flawless(browser, OUTAGE) as page:
        await page.goto(demo.http)
        await all_connected(page)
        alice, bob = session(page, "Alice"), session(page, "Bob")
        await press(alice, "Notify me")
        await press(bob, "Notify Alice")
        await counts(frames(alice, "notification"), 2)
        await press(alice, "Create a resource")
        await press(alice, "Run the Celery task")
        await counts(frames(alice, "notification"), 3)
        for feed in (alice, bob):
            entries = feed.get_by_role("list", name="Organization feed")
            await shows(entries, "resource.created")
            await shows(entries, "document.processed")
        await press(bob, "Leave the organization")
        await counts(frames(bob, "4003 FORBIDDEN"), 1)
        await press(bob, "Join the organization")
        await all_connected(page)
        await press(bob, "Expire my token")
        await counts(frames(bob, "token.refreshed"), 2)
        await counts(frames(bob, "4001 UNAUTHORIZED"), 0)
        await press(alice, "Restart the server")
        for person in (alice, bob):
            await counts(frames(person, "1012 RESTART", "The server restarts."), 2)
        await all_connected(page)
        await counts(frames(alice, "connection.established", "recovered"), 2)
        await counts(frames(alice, "notification", "#2"), 1)
        await press(bob, "Sign out")
        await shows(bob.get_by_role("alert"), "The session has ended.")
        await press(bob, "Sign in again")
        await all_connected(page)
        # What was sent before the restart was shown once, and is still there.
        await counts(alice.get_by_role("list", name="Notifications").get_by_role("listitem"), 3)
