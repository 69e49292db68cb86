"""What a network and a machine do to an open page: they go, they sleep, they come back.

Measured in Chromium 156, driven by Playwright: offline, an open WebSocket stays open and its frames
wait; a page is neither hidden by another tab nor stopped by `Page.setWebLifecycleState`. So a sleep
is here what a page knows of it: a clock that jumps.
"""

import asyncio
import itertools
import re

from api.consumers import broadcast_org_event
from demo.people import ORG_ID
from tests.browser.chromium import fixture
from tests.browser.demo_page import (
    OUTAGE,
    SOCKETS,
    counts,
    flawless,
    frames,
    later,
    open_all_frames,
    press,
    session,
    shows,
    status,
    visit,
)
from tests.browser.network_log import Witness

# Milliseconds: a lid that was closed, for longer than the heartbeat's interval and less than the
# life of a token.
SLEEP = 60_000
# For longer than the client waits for an answer where it doubts, and less than for a usual one.
PROBE = 4_000

NAMES = ["Alice", "Bob"]
FOUR = [*itertools.product(NAMES, SOCKETS)]
ALL_OPEN = sorted(itertools.product(["alice", "bob"], SOCKETS))

# As on a laptop in flight mode; Playwright's own offline mode would cut off the laptop itself.
WITHOUT_NETWORK = """
Object.defineProperty(Navigator.prototype, "onLine", {get: () => false});
"""

# What Chromium writes to the console when the policy forbids something.
POLICY = re.compile("Executing inline script violates")
KEEP_VIOLATIONS = """
window.violations = [];
addEventListener("securitypolicyviolation", ({effectiveDirective, blockedURI}) =>
  violations.push(`${effectiveDirective} ${blockedURI}`));
"""
RUN_INLINE = """() => {
  const script = document.createElement("script");
  script.textContent = "window.ran = true";
  document.head.append(script);
}"""


@fixture
async def fragile(browser, app, layer):
    """The page on a server of its own, with a clock that can jump; and what witnesses it."""
    async with flawless(browser, OUTAGE) as page:
        witness = Witness(page)
        await page.clock.install()
        await visit(page, app)
        yield page, witness


def lines(page):
    """Return the line of each of the four sockets."""
    return [status(session(page, name), socket) for name, socket in FOUR]


async def all_show(page, text):
    for line in lines(page):
        await shows(line, text)


async def stop_time(page):
    await page.clock.pause_at(await page.evaluate("() => Date.now() + 1000"))


async def lose_the_network(page):
    await page.context.set_offline(True)
    await page.wait_for_function("() => !navigator.onLine")


async def tell(word):
    await broadcast_org_event(str(ORG_ID), word, {})


async def both_show_once(page, *words):
    for name in NAMES:
        feed = session(page, name).get_by_role("list", name="Organization feed")
        for word in words:
            await counts(feed.get_by_text(word, exact=True), 1)


# Offline


async def test_short_outage_of_the_network_costs_no_socket_and_no_event(fragile):
    page, witness = fragile
    await stop_time(page)
    await lose_the_network(page)
    await tell("sent.meanwhile")
    await page.context.set_offline(False)
    await page.clock.resume()
    await both_show_once(page, "sent.meanwhile")
    assert len(witness.sockets) == 4
    assert witness.open_sockets() == ALL_OPEN


async def test_page_that_lost_its_network_soon_says_so_and_then_misses_nothing(fragile):
    page, _ = fragile
    await stop_time(page)
    await lose_the_network(page)
    await page.clock.fast_forward(PROBE)
    await all_show(page, "Offline. Waits for a network.")
    await tell("sent.meanwhile")
    await page.clock.resume()
    await page.context.set_offline(False)
    await all_show(page, "Connected")
    await both_show_once(page, "sent.meanwhile")


async def test_page_reaches_the_server_of_a_machine_without_a_network(tab, shared_app):
    await visit(tab, shared_app, WITHOUT_NETWORK)
    assert not await tab.evaluate("() => navigator.onLine")
    await all_show(tab, "Connected")


async def test_client_without_a_network_waits_for_one_and_then_misses_nothing(fragile, app):
    page, witness = fragile
    await tell("sent.before")
    await both_show_once(page, "sent.before")
    await asyncio.to_thread(app.kill)
    await all_show(page, "The connection was lost.")
    await page.context.set_offline(True)
    await all_show(page, "Offline. Waits for a network.")
    await later(page)
    await asyncio.to_thread(app.start)
    await tell("sent.meanwhile")
    await all_show(page, "Offline. Waits for a network.")
    await page.context.set_offline(False)
    await all_show(page, "Connected")
    await both_show_once(page, "sent.before", "sent.meanwhile")
    assert witness.open_sockets() == ALL_OPEN


# Sleep


async def test_page_that_slept_finds_its_server_gone_and_comes_back(fragile, app):
    page, _ = fragile
    app.freeze()
    await page.clock.fast_forward(SLEEP)
    for name, socket in FOUR:
        lost = frames(session(page, name), "1006 ABNORMAL", socket.lower()).last
        await shows(lost, "The connection was lost.")
    app.thaw()
    await all_show(page, "Connected")
    await tell("sent.afterwards")
    await both_show_once(page, "sent.afterwards")


async def test_page_that_is_looked_at_again_asks_whether_its_sockets_live(fragile):
    page, _ = fragile
    await page.clock.fast_forward(SLEEP // 6)  # the heartbeat would ask later
    await page.evaluate("() => document.dispatchEvent(new Event('visibilitychange'))")
    for name in NAMES:
        await counts(frames(session(page, name), "ping", "sent on"), 2)
        await counts(frames(session(page, name), "pong", "received on"), 2)
    await all_show(page, "Connected")


# Nothing but normal


async def test_page_that_is_loaded_again_has_four_other_sockets(tab, shared_app, layer):
    witness = Witness(tab)
    await visit(tab, shared_app)
    await tab.reload()
    await all_show(tab, "Connected")
    await tell("sent.afterwards")
    await both_show_once(tab, "sent.afterwards")
    # Chromium does not tell of the end of those that went with their page.
    assert sorted((each.is_of, each.stream) for each in witness.sockets[4:]) == ALL_OPEN


async def test_normal_use_violates_no_policy(browser, app, restored):
    async with flawless(browser, POLICY) as page:
        await visit(page, app, KEEP_VIOLATIONS)
        await use_everything(page)
        assert await page.evaluate("() => violations") == []
        # The policy is in force, and is listened to.
        await page.evaluate(RUN_INLINE)
        assert await page.evaluate("() => violations") == ["script-src-elem inline"]
        assert await page.evaluate("() => window.ran") is None


async def use_everything(page):
    """Press every button of a session, and see that each has its effect."""
    alice = session(page, "Alice")
    await press(alice, "Notify me")
    await press(session(page, "Bob"), "Notify Alice")
    await counts(frames(alice, "notification"), 2)
    await press(alice, "Create a resource")
    await press(alice, "Run the Celery task")
    await counts(frames(alice, "notification"), 3)
    await open_all_frames(page)
    await press(alice, "Mark all read")
    await press(alice, "Clear")
    await press(alice, "Leave the organization")
    await press(alice, "Join the organization")
    await shows(status(alice, "Organization"), "Connected")
    await press(alice, "Expire my token")
    await counts(frames(alice, "token.refreshed"), 2)
    await press(alice, "Sign out")
    await press(alice, "Sign in again")
    await all_show(page, "Connected")
