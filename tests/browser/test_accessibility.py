"""The page for everybody: by axe's rules, by keyboard alone, on a small screen, in words."""

import asyncio
import itertools

import pytest

from api.consumers import broadcast_notification, broadcast_org_event
from demo.people import ORG_ID
from devrealm.accounts import PEOPLE
from tests.browser.demo_page import (
    OUTAGE,
    choose,
    counts,
    flawless,
    focused,
    frames,
    is_ready,
    open_all_frames,
    press,
    session,
    shows,
    status,
    turn_to,
    unread,
    visit,
)
from tests.project.frontend import FRONTEND

AXE = FRONTEND / "node_modules" / "axe-core" / "axe.min.js"

SCHEMES = ["light", "dark"]
WIDTHS = [1440, 390]
HEIGHT = 900

# Each rule that applies to WCAG 2.2 AA and to good practice; that of target sizes is off by itself.
RUN_AXE = """async () => {
  const {violations} = await axe.run({rules: {"target-size": {enabled: true}}});
  return violations.flatMap(({id, nodes}) => nodes.map(({html}) => `${id}: ${html}`));
}"""
# What scrolls sideways: the page, or a list within it.
TOO_WIDE = """() => [document.documentElement, ...document.querySelectorAll("ul, ol")]
  .filter(each => each.scrollWidth > each.clientWidth)
  .map(each => `too wide: ${each.ariaLabel ?? "the page"}`)"""


@pytest.fixture
def axe():
    if not AXE.exists():
        pytest.skip("needs axe-core: npm ci in reference_app/frontend")
    return AXE.read_text()


async def violations(page, axe):
    """Return what axe complains of, and what is too wide, in each look of the page."""
    await page.evaluate(axe)  # no script of the page: its policy would not let one run
    # Half faded in, a text has too little contrast.
    await page.emulate_media(reduced_motion="reduce")
    found = []
    for scheme, width in itertools.product(SCHEMES, WIDTHS):
        await page.emulate_media(color_scheme=scheme)
        await page.set_viewport_size({"width": width, "height": HEIGHT})
        complaints = await page.evaluate(RUN_AXE) + await page.evaluate(TOO_WIDE)
        found += [(scheme, width, complaint) for complaint in complaints]
    return found


# By axe's rules


async def test_page_violates_no_rule_when_it_is_connected(tab, shared_app, axe):
    await visit(tab, shared_app)
    assert await violations(tab, axe) == []


async def test_page_violates_no_rule_when_it_is_full(tab, shared_app, axe, layer):
    await visit(tab, shared_app)
    alice, bob = session(tab, "Alice"), session(tab, "Bob")
    await broadcast_org_event(str(ORG_ID), "sent.at.length", {"text": "long" * 100})
    await press(alice, "Create a resource")
    await shows(bob.get_by_role("list", name="feed"), "resource.created")
    for number in (1, 2, 3):
        await press(alice, "Notify me")
        await counts(frames(alice, "notification"), number)
    await open_all_frames(tab)
    await alice.get_by_role("button", name="Mark read:").first.click()
    assert await violations(tab, axe) == []


async def test_page_violates_no_rule_when_it_waits_for_its_server(browser, app, axe):
    async with flawless(browser, OUTAGE) as page:
        await visit(page, app)
        await asyncio.to_thread(app.kill)
        await shows(status(session(page, "Alice"), "Organization"), "The connection was lost.")
        assert await violations(page, axe) == []


async def test_page_violates_no_rule_when_it_asks_to_sign_in(tab, shared_app, axe):
    await visit(tab, shared_app)
    alice = session(tab, "Alice")
    await press(alice, "Sign out")
    await shows(alice.get_by_role("alert"), "The session has ended.")
    assert await violations(tab, axe) == []


async def test_page_violates_no_rule_when_it_turns_a_stranger_away(tab, shared_app, axe):
    await visit(tab, shared_app)
    mallory = await choose(tab, session(tab, "Bob"), "mallory")
    await shows(status(mallory, "Organization"), "Not reconnecting.")
    assert await violations(tab, axe) == []


# By keyboard

# Whatever a pointer can operate, in the order in which the page is read.
CONTROLS = """() => [
  ...document.querySelectorAll("a, button, input, select, summary, [tabindex='0']"),
]
  .filter(each => !each.disabled).map(each => each.getAttribute("aria-label") ?? each.innerText)"""
FOCUS = """() => {
  const {ariaLabel, innerText} = document.activeElement;
  const {outlineStyle, outlineWidth} = getComputedStyle(document.activeElement);
  return [ariaLabel ?? innerText, outlineStyle, parseFloat(outlineWidth)];
}"""


async def test_tab_reaches_every_control_in_order_and_shows_itself(tab, shared_app, layer):
    await tab.clock.install()
    await visit(tab, shared_app)
    await broadcast_notification(PEOPLE["alice"].subject, {"title": "Hello", "body": ""})
    await counts(session(tab, "Alice").get_by_role("button", name="Mark read: Hello"), 1)
    await tab.clock.pause_at(await tab.evaluate("() => Date.now()") + 1_000)
    controls = await tab.evaluate(CONTROLS)
    reached = []
    for _ in controls:
        await tab.keyboard.press("Tab")
        name, style, width = await tab.evaluate(FOCUS)
        reached.append(name)
        assert style != "none" and width >= 2, f"No focus to be seen: {name}"
    assert reached == controls


async def test_everything_is_operated_by_enter_space_and_arrows(tab, shared_app):
    await visit(tab, shared_app)
    alice = session(tab, "Alice")
    await alice.get_by_role("button", name="Notify me").press("Enter")
    await alice.get_by_role("button", name="Mark read: Hello, Alice").press("Space")
    await counts(unread(alice), 0)
    received = frames(alice, "notification")
    await received.locator("summary").press("Enter")
    await shows(received, '"type": "notification"')
    renew = alice.get_by_role("switch", name="Renew my token")
    await renew.press("Space")
    assert not await renew.is_checked()
    await session(tab, "Bob").get_by_label("Signed in as").press("ArrowDown")
    await shows(session(tab, "Mallory"), "Mallory Moss")


async def test_focus_stays_on_a_button_that_turns_into_its_opposite(tab, shared_app, restored):
    await visit(tab, shared_app)
    alice = session(tab, "Alice")
    await alice.get_by_role("button", name="Leave the organization").press("Enter")
    join = alice.get_by_role("button", name="Join the organization")
    await focused(join)
    await is_ready(join)
    await tab.keyboard.press("Enter")
    await focused(alice.get_by_role("button", name="Leave the organization"))
    await shows(status(alice, "Organization"), "Connected")


async def test_button_that_goes_hands_its_focus_to_what_it_belonged_to(tab, shared_app):
    await visit(tab, shared_app)
    alice = session(tab, "Alice")
    notifications = alice.get_by_role("list", name="Notifications")
    for name in ("Mark read: Hello, Alice", "Mark all read"):
        await press(alice, "Notify me")
        await shows(unread(alice), "1 unread")
        await alice.get_by_role("button", name=name).first.press("Enter")
        await focused(notifications)
    await alice.get_by_role("button", name="Clear").press("Enter")
    await focused(alice.get_by_role("list", name="Frames"))
    await press(alice, "Sign out")
    await alice.get_by_role("button", name="Sign in again").press("Enter")
    await focused(alice.get_by_role("heading", name="Alice Archer"))


# By pointer

# The names of buttons that something else lies on, each scrolled to as little as need be.
COVERED = """() => [...document.querySelectorAll("button")]
  .filter(each => each.checkVisibility())
  .filter(each => {
    each.scrollIntoView({block: "nearest", behavior: "instant"});
    const {x, y, width, height} = each.getBoundingClientRect();
    return !each.contains(document.elementFromPoint(x + width / 2, y + height / 2));
  })
  .map(each => each.getAttribute("aria-label") ?? each.innerText)"""

# As many as are seen at once, and more.
TIMES = 5


@pytest.mark.parametrize("width", [*WIDTHS, 1024])
async def test_nothing_that_comes_covers_a_button(tab, shared_app, width):
    await tab.set_viewport_size({"width": width, "height": HEIGHT})
    await visit(tab, shared_app)
    for name in ("Alice", "Bob"):
        await turn_to(tab, name)
        await press_in_one_spot(tab, session(tab, name), "Notify me")
        await counts(frames(session(tab, name), "notification"), TIMES)
        assert await tab.evaluate(COVERED) == []


async def press_in_one_spot(tab, session, label):
    """Press wherever the button was at first, whatever may be there by now."""
    button = session.get_by_role("button", name=label)
    await button.scroll_into_view_if_needed()
    box = await button.bounding_box()
    for number in range(1, TIMES + 1):
        await is_ready(button)
        await tab.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        await shows(unread(session), f"{number} unread")


# In words, and at rest

MOVING = "() => document.getAnimations().length"


async def test_change_of_status_is_announced_where_the_status_was(browser, app):
    async with flawless(browser, OUTAGE) as page:
        await visit(page, app)
        line = await status(session(page, "Alice"), "Organization").element_handle()
        await asyncio.to_thread(app.kill)
        await page.wait_for_function("line => line.innerText.includes('lost')", arg=line)
        assert await line.evaluate("line => line.isConnected && line.role") == "status"
        # What counts down is no announcement: it would be read out each second.
        await shows(page.get_by_text("Reconnecting in").first, " s.")
        assert "Reconnecting" not in await line.text_content()


async def test_notification_is_announced_by_a_region_that_was_there_before(tab, shared_app):
    await visit(tab, shared_app)
    alice = session(tab, "Alice")
    region = await alice.locator("[aria-live=polite]").element_handle()
    await press(alice, "Notify me")
    await tab.wait_for_function("region => region.innerText.includes('Hello')", arg=region)
    assert await region.evaluate("region => region.isConnected")


async def test_nothing_moves_for_who_prefers_reduced_motion(browser, app):
    async with flawless(browser, OUTAGE) as page:
        await visit(page, app)
        await asyncio.to_thread(app.kill)
        await page.emulate_media(reduced_motion="no-preference")
        await page.wait_for_function(f"{MOVING} > 0")
        await page.emulate_media(reduced_motion="reduce")
        assert await page.evaluate(MOVING) == 0


# What moves by itself, as Chromium measures it (Cumulative Layout Shift). Left out is what a press
# moves, and the entries of a list that make room for a newer one.
KEEP_SHIFTS = """
window.shift = 0;
const isEntry = ({node}) => node?.parentElement?.closest(".entries");
new PerformanceObserver(list => {
  for (const {value, hadRecentInput, sources} of list.getEntries()) {
    if (!hadRecentInput && !sources.every(isEntry)) shift += value;
  }
}).observe({type: "layout-shift", buffered: true});
"""
MOST_SHIFT = 0.02


@pytest.mark.parametrize("width", [*WIDTHS, 1024])
async def test_page_stays_where_it_is_whatever_comes(browser, app, layer, width):
    async with flawless(browser, OUTAGE) as page:
        await page.set_viewport_size({"width": width, "height": HEIGHT})
        await visit(page, app, KEEP_SHIFTS)
        alice = session(page, "Alice")
        for number in range(1, TIMES + 1):
            await broadcast_notification(PEOPLE["alice"].subject, {"title": "Hello"})
            await broadcast_org_event(ORG_ID, "made", {"number": number})
            await counts(frames(alice, "notification"), number)
            await counts(frames(alice, "event"), number)
        await asyncio.to_thread(app.kill)
        await shows(status(alice, "Notifications"), "The connection was lost.")
        await asyncio.to_thread(app.start)
        await shows(status(alice, "Notifications"), "Connected")
        assert await page.evaluate("() => shift") <= MOST_SHIFT


IN_VIEW = """list => {
  const {top, bottom} = list.getBoundingClientRect();
  return top >= 0 && bottom <= innerHeight;
}"""


async def test_frames_of_both_are_in_view_on_a_laptop(tab, shared_app):
    await tab.set_viewport_size({"width": 1440, "height": HEIGHT})
    await visit(tab, shared_app)
    for name in ("Alice", "Bob"):
        listed = session(tab, name).get_by_role("list", name="Frames")
        assert await listed.evaluate(IN_VIEW)


async def test_latest_frame_is_in_view_unless_somebody_reads_another(tab, shared_app):
    await visit(tab, shared_app)
    alice = session(tab, "Alice")
    listed = alice.get_by_role("list", name="Frames")
    for number in range(1, 16):
        await press(alice, "Notify me")
        await counts(frames(alice, "notification"), number)
    from_end = "list => list.scrollHeight - list.clientHeight - list.scrollTop"
    assert await listed.evaluate(from_end) < 2
    await listed.hover()
    await tab.mouse.wheel(0, -1_000)
    await tab.wait_for_function("list => list.scrollTop === 0", arg=await listed.element_handle())
    await press(alice, "Notify me")
    await counts(frames(alice, "notification"), 16)
    assert await listed.evaluate("list => list.scrollTop") == 0
