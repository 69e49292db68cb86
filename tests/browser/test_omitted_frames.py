"""A message that is too large to be sent, as the page's reader sees it."""

import asyncio

import pytest
from asgiref.sync import sync_to_async

from api.consumers import broadcast_notification, broadcast_org_event
from api.topics import organization_topic, user_topic
from demo.people import ORG_ID
from devrealm.accounts import PEOPLE
from realtime.delivery import outbox
from realtime.delivery.outbox import Outgoing
from tests.browser.demo_page import OUTAGE, counts, flawless, frames, session, shows, titled, visit

ALICE = PEOPLE["alice"].subject

WORDS = "A message of 2 MB was too large to be sent."

# A frame from before there was a limit; no sender writes one now.
LARGE = '{"type": "event", "event_type": "made", "data": "%s"}' % ("x" * 2_000_000)


@sync_to_async
def write_large():
    """Write the large frame to Alice's stream and to her organization's, and tell no process."""
    outbox.append(
        [
            Outgoing(stream, LARGE)
            for stream in (user_topic.stream(ALICE), organization_topic.stream(ORG_ID))
        ]
    )


async def tell(word):
    await broadcast_notification(ALICE, {"title": word, "body": ""})
    await broadcast_org_event(ORG_ID, word, {})


@pytest.mark.parametrize("server", ["realtime.server", "daphne"])
async def test_page_says_that_a_message_was_too_large_and_goes_on(
    browser, start_app, layer, server
):
    app = start_app(server)
    async with flawless(browser, OUTAGE) as page:
        await visit(page, app)
        alice = session(page, "Alice")
        lists = [
            alice.get_by_role("list", name=name) for name in ("Notifications", "Organization feed")
        ]
        # While the sockets are open,
        await write_large()
        await tell("live")
        for listed in lists:
            await shows(listed.get_by_role("listitem").nth(0), "live")
            await shows(listed.get_by_role("listitem").nth(1), WORDS)
        # and where a client resumes after it.
        await asyncio.to_thread(app.stop)
        await write_large()
        await asyncio.to_thread(app.start)
        for listed in lists:
            await counts(listed.get_by_text(WORDS), 2)
        await tell("after")
        for listed in lists:
            await shows(listed.get_by_role("listitem").nth(0), "after")
            await counts(listed.get_by_role("listitem"), 4)
        await counts(frames(alice, "connection.established", "recovered"), 2)
        await titled(page, "(4) Django Channels, live")
        await counts(alice.get_by_role("button", name=f"Mark read: {WORDS}"), 2)
