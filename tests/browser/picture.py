"""The README's picture of the page, and what it is made of."""

import hashlib
from datetime import datetime

from tests.browser.demo_page import counts, frames, press, session, shows, status, visit
from tests.project.frontend import PAGE_BUNDLES
from tests.record import RECORDED

PICTURES = {scheme: RECORDED / f"page_in_chromium_{scheme}.png" for scheme in ("light", "dark")}

# What every clock on the page shows.
TIME = datetime(2026, 11, 24, 10, 30)


def made_of() -> str:
    """Return a digest of the files that the page is drawn by; another one, another picture."""
    files = [PAGE_BUNDLES / name for name in ("demo.js", "demo.css")]
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


# Where the frames have to be in view.
SIZE = {"width": 1440, "height": 900}


async def pose(page, app) -> str:
    """Have Alice and Bob do a few things, and return what a screen reader finds on the page.

    Each waits for the one before, so that the frames of two sockets come in one order.
    """
    await page.set_viewport_size(SIZE)
    await page.clock.set_fixed_time(TIME)
    await visit(page, app)
    alice, bob = session(page, "Alice"), session(page, "Bob")
    for person in (alice, bob):
        await counts(frames(person, "notifications.read", "0 unread"), 1)
        await press(person, "Clear")  # greetings, in whatever order they came
    await press(alice, "Notify Bob")
    await shows(listed(bob, "Notifications"), "Hello from Alice")
    await press(bob, "Leave the organization")
    await shows(status(bob, "Organization"), "Not reconnecting")
    await press(alice, "Create a resource")
    await shows(listed(alice, "Organization feed"), "resource.created")
    await press(bob, "Join the organization")
    await shows(listed(bob, "Organization feed"), "resource.created")
    await press(bob, "Notify Alice")
    await shows(listed(alice, "Notifications"), "Hello from Bob")
    await press(alice, "Leave the organization")
    await shows(status(alice, "Organization"), "Not reconnecting")
    await shows(alice.get_by_text("You are a member no longer."), "closes")
    return await page.locator("body").aria_snapshot()


def listed(person, name):
    return person.get_by_role("list", name=name)


async def take(page, scheme: str) -> bytes:
    await page.emulate_media(color_scheme=scheme)
    return await page.screenshot(animations="disabled")
