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
    open_all_frames,
    press,
    session,
    shows,
    status,
    visit,
)
from tests.project.frontend import FRONTEND

AXE = FRONTEND / "node_modules" / "axe-core" / "axe.min.js"

SCHEMES = ["light", "dark"]
WIDTHS = [1280, 390]
HEIGHT = 900

# Milliseconds, for longer than toasts stay by themselves.
TOASTS = 7_000

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
    await counts(session(tab, "Alice").get_by_role("button", name="Dismiss"), 1)
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
    await counts(alice.get_by_text("unread"), 0)
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
    await focused(alice.get_by_role("button", name="Join the organization"))
    await tab.keyboard.press("Enter")
    await focused(alice.get_by_role("button", name="Leave the organization"))
    await shows(status(alice, "Organization"), "Connected")


async def test_button_that_goes_hands_its_focus_to_what_it_belonged_to(tab, shared_app):
    await visit(tab, shared_app)
    alice = session(tab, "Alice")
    notifications = alice.get_by_role("list", name="Notifications")
    for name in ("Mark read: Hello, Alice", "Mark all read", "Dismiss"):
        await press(alice, "Notify me")
        await shows(alice, "1 unread")
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
  .filter(each => {
    each.scrollIntoView({block: "nearest", behavior: "instant"});
    const {x, y, width, height} = each.getBoundingClientRect();
    return !each.contains(document.elementFromPoint(x + width / 2, y + height / 2));
  })
  .map(each => each.getAttribute("aria-label") ?? each.innerText)"""

# As many as are seen at once, and more.
TIMES = 5


@pytest.mark.parametrize("width", WIDTHS)
async def test_toasts_of_two_people_cover_no_button(tab, shared_app, width):
    await tab.clock.install()
    await tab.set_viewport_size({"width": width, "height": HEIGHT})
    await visit(tab, shared_app)
    for name in ("Alice", "Bob"):
        await press_in_one_spot(tab, session(tab, name), "Notify me")
        await counts(frames(session(tab, name), "notification"), TIMES)
        await shows(session(tab, name), f"{TIMES} unread")
    await shows(session(tab, "Alice").get_by_test_id("toast").first, "Hello, Alice")
    await shows(session(tab, "Bob").get_by_test_id("toast").first, "Hello, Bob")
    assert await tab.evaluate(COVERED) == []
    for name in ("Alice", "Bob"):
        await counts(session(tab, name).get_by_test_id("toast"), 3)


async def press_in_one_spot(tab, session, label):
    """Press wherever the button was at first, whatever may be there by now."""
    button = session.get_by_role("button", name=label)
    await button.scroll_into_view_if_needed()
    box = await button.bounding_box()
    for number in range(1, TIMES + 1):
        await tab.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        await shows(session, f"{number} unread")


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


async def test_toast_is_announced_by_a_region_that_was_there_before(tab, shared_app):
    await visit(tab, shared_app)
    alice = session(tab, "Alice")
    region = await alice.locator("[aria-live=polite]").element_handle()
    await press(alice, "Notify me")
    await tab.wait_for_function("region => region.innerText.includes('Hello')", arg=region)
    assert await region.evaluate("region => region.isConnected")


@pytest.mark.parametrize("held", ["hover", "focus"])
async def test_toast_stays_while_the_pointer_or_the_focus_is_on_it(tab, shared_app, held):
    await tab.clock.install()
    await visit(tab, shared_app)
    alice = session(tab, "Alice")
    await press(alice, "Notify me")
    dismiss = alice.get_by_role("button", name="Dismiss")
    await getattr(dismiss, held)()
    await tab.clock.fast_forward(TOASTS)
    await tab.clock.fast_forward(TOASTS)
    await shows(alice.get_by_test_id("toast"), "Hello, Alice")
    await alice.get_by_role("heading", name="Alice Archer").hover()
    await dismiss.blur()
    await tab.clock.fast_forward(TOASTS)
    await counts(alice.get_by_test_id("toast"), 0)


async def test_toast_that_a_finger_has_touched_goes_by_itself(browser, shared_app):
    async with flawless(await browser.new_context(has_touch=True, is_mobile=True)) as page:
        await page.clock.install()
        await visit(page, shared_app)
        alice = session(page, "Alice")
        await press(alice, "Notify me")
        await alice.get_by_test_id("toast").tap()
        assert await alice.get_by_test_id("toast").evaluate("toast => toast.matches(':hover')")
        # Chromium itself forgets the finger, but only some twenty seconds later.
        await page.clock.pause_at(await page.evaluate("() => Date.now()") + 1_000)
        await page.clock.fast_forward(TOASTS)
        await counts(alice.get_by_test_id("toast"), 0)


async def test_nothing_moves_for_who_prefers_reduced_motion(browser, app):
    async with flawless(browser, OUTAGE) as page:
        await visit(page, app)
        await asyncio.to_thread(app.kill)
        await page.emulate_media(reduced_motion="no-preference")
        await page.wait_for_function(f"{MOVING} > 0")
        await page.emulate_media(reduced_motion="reduce")
        assert await page.evaluate(MOVING) == 0
