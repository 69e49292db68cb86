"""The README's picture of the page, and what it is made of."""

import hashlib
from datetime import datetime

from tests.browser.demo_page import press, session, shows, status, visit
from tests.project.frontend import PAGE_BUNDLES
from tests.record import RECORDED

PICTURES = {scheme: RECORDED / f"page_in_chromium_{scheme}.png" for scheme in ("light", "dark")}

# What every clock on the page shows.
TIME = datetime(2026, 11, 24, 10, 30)


def made_of() -> str:
    """Return a digest of the files that the page is drawn by; another one, another picture."""
    files = [PAGE_BUNDLES / name for name in ("demo.js", "demo.css")]
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


async def pose(page, app) -> str:
    """Have Alice and Bob do a few things, and return what a screen reader finds on the page."""
    await page.clock.set_fixed_time(TIME)
    await visit(page, app)
    alice, bob = session(page, "Alice"), session(page, "Bob")
    for person in (alice, bob):
        await press(person, "Clear")  # greetings, in whatever order they came
    await press(alice, "Create a resource")
    for person in (alice, bob):
        await shows(person.get_by_role("list", name="Organization feed"), "resource.created")
    await press(bob, "Leave the organization")
    await shows(status(bob, "Organization"), "Not reconnecting")
    for person in (alice, bob):
        await press(person, "Notify me")
    for person in (alice, bob):
        await shows(person.get_by_test_id("toast"), "Hello")
    return await page.locator("body").aria_snapshot()


async def take(page, scheme: str) -> bytes:
    await page.emulate_media(color_scheme=scheme)
    return await page.screenshot(full_page=True, animations="disabled")
