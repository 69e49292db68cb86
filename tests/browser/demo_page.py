"""The demo page in Chromium: opened, watched, and read as a person would."""

import asyncio
import contextlib
import re

from devrealm.accounts import PEOPLE
from tests.wire.servers import PATIENCE

# What Chromium itself writes to the console while the server is away; no page can prevent it.
OUTAGE = re.compile(r"WebSocket connection to '[^']+' failed")

SOCKETS = ["Notifications", "Organization"]

# Milliseconds: beyond a client's first waits, and before its heartbeat asks for anything.
LATER = 20_000

OPEN_FRAMES = """() => {
  const rows = [...document.querySelectorAll("details")];
  for (const row of rows) row.open = true;
  return rows.length > 0 && rows.every(row => row.querySelector("pre"));
}"""


@contextlib.asynccontextmanager
async def flawless(browser, may_complain=None):
    """Open an empty page; in the end it must have complained of nothing, but of what it may."""
    page = await browser.new_page()
    complaints = []
    page.on("console", lambda said: said.type == "error" and complaints.append(said.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield page
    assert [text for text in complaints if not (may_complain and may_complain.match(text))] == []


async def visit(page, app, watch=""):
    """Open the demo page, watched from its start, and wait until its four sockets are open."""
    await page.add_init_script(watch)
    await page.goto(url(app))
    for name in ("Bob", "Alice"):
        await turn_to(page, name)
        for socket in SOCKETS:
            await shows(status(session(page, name), socket), "Connected")


def url(app):
    return f"http://127.0.0.1:{app.port}/"


async def turn_to(page, name):
    """Show a person's tab, where the page has room for one person only."""
    await page.get_by_role("main").wait_for()
    tab = page.get_by_role("tab", name=name)
    if await tab.count():
        await tab.click()


def session(page, name):
    """Return the half of the page that belongs to a person."""
    return page.get_by_role("region", name=name)


def status(session, socket):
    """Return the line that says what one of the session's sockets does."""
    return session.get_by_role("status").filter(has_text=f"{socket}:")


async def press(session, label):
    """Press one of the session's buttons."""
    await session.get_by_role("button", name=label, exact=True).click()


async def choose(page, session, username):
    """Sign somebody else in, in a half of the page; return that half, which is named for them."""
    await session.get_by_label("Signed in as").select_option(username)
    return page.get_by_role("region", name=PEOPLE[username].given_name).last


def unread(session):
    """Return the number beside the heading of the session's notifications."""
    return session.get_by_text(re.compile(r"^[\d,]+ unread$"))


def frames(session, type, detail=""):
    """Return the lines of the session's Frames panel that are of a type, and say so much of it."""
    listed = session.get_by_role("list", name="Frames").get_by_role("listitem")
    return listed.filter(has=session.page.get_by_text(type, exact=True)).filter(has_text=detail)


async def open_all_frames(page):
    """Show what each frame of either panel says at length, those too that come meanwhile."""
    await page.wait_for_function(OPEN_FRAMES, timeout=PATIENCE * 1_000)


async def later(page):
    """Let the time come at which a client would be back; the page's clock has to be installed."""
    await page.clock.fast_forward(LATER)


async def restart(app, end):
    """End the server in one of its ways, and start it again."""
    await asyncio.to_thread(end)
    await asyncio.to_thread(app.start)


async def shows(locator, text):
    """Wait until it shows a text."""
    from playwright.async_api import expect

    await expect(locator).to_contain_text(text, timeout=PATIENCE * 1_000)


async def is_ready(locator):
    """Wait until a button can work, and is not busy."""
    from playwright.async_api import expect

    await expect(locator).to_be_enabled(timeout=PATIENCE * 1_000)


async def counts(locator, number):
    """Wait until there are so many of it."""
    from playwright.async_api import expect

    await expect(locator).to_have_count(number, timeout=PATIENCE * 1_000)


async def titled(page, text):
    """Wait until the page has this title."""
    from playwright.async_api import expect

    await expect(page).to_have_title(text, timeout=PATIENCE * 1_000)


async def focused(locator):
    """Wait until it has the focus."""
    from playwright.async_api import expect

    await expect(locator).to_be_focused(timeout=PATIENCE * 1_000)
