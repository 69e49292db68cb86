"""Two people in one page: what is meant for one, for all members, and for a stranger neither."""

from api.consumers import broadcast_notification, broadcast_org_event
from demo.people import ORG_ID
from devrealm.accounts import PEOPLE
from tests.browser.demo_page import (
    SOCKETS,
    choose,
    counts,
    frames,
    later,
    press,
    session,
    shows,
    status,
    titled,
    unread,
    visit,
)
from tests.browser.network_log import Witness

TITLE = "Django Channels, live"


def notifications(person):
    return person.get_by_role("list", name="Notifications").get_by_role("listitem")


def feed(person):
    return person.get_by_role("list", name="Organization feed").get_by_role("listitem")


async def tell_all(*people):
    """Send an event to the organization, and wait until each of these has it, and has it once."""
    await broadcast_org_event(str(ORG_ID), "told.all", {})
    for person in people:
        await counts(feed(person).filter(has_text="told.all"), 1)


def heard(sockets, type):
    return [frame for socket in sockets for frame in socket.received if frame["type"] == type]


async def test_notification_reaches_its_user_and_nothing_of_the_other(tab, shared_app, layer):
    witness = Witness(tab)
    await visit(tab, shared_app)
    alice, bob = session(tab, "Alice"), session(tab, "Bob")
    await press(alice, "Notify me")
    await counts(notifications(alice).filter(has_text="Hello, Alice"), 1)
    await shows(unread(alice), "1 unread")
    await broadcast_notification(PEOPLE["alice"].subject, {"title": "Again", "body": ""})
    await shows(unread(alice), "2 unread")
    # What Bob gets afterwards would have come after anything that was wrongly his.
    await tell_all(alice, bob)
    await titled(tab, f"(2) {TITLE}")
    assert await notifications(bob).count() == 0
    await counts(unread(bob), 0)
    assert len(heard(witness.sockets_of("alice"), "notification")) == 2
    assert heard(witness.sockets_of("bob"), "notification") == []

    await press(alice, "Mark all read")
    await counts(unread(alice), 0)
    await titled(tab, TITLE)


async def test_one_person_notifies_the_other(tab, shared_app, layer):
    witness = Witness(tab)
    await visit(tab, shared_app)
    alice, bob = session(tab, "Alice"), session(tab, "Bob")
    await press(alice, "Notify Bob")
    await counts(notifications(bob).filter(has_text="Hello from Alice"), 1)
    await press(bob, "Notify Alice")
    await counts(notifications(alice).filter(has_text="Hello from Bob"), 1)
    await tell_all(alice, bob)
    assert len(heard(witness.sockets_of("alice"), "notification")) == 1
    assert len(heard(witness.sockets_of("bob"), "notification")) == 1
    mallory = await choose(tab, bob, "mallory")
    await press(alice, "Notify Mallory")
    await counts(notifications(mallory).filter(has_text="For Mallory only."), 1)


async def test_event_of_the_organization_reaches_both_members_once(tab, shared_app, layer):
    witness = Witness(tab)
    await visit(tab, shared_app)
    alice, bob = session(tab, "Alice"), session(tab, "Bob")
    await press(bob, "Create a resource")
    for person in (alice, bob):
        await counts(feed(person).filter(has_text="resource.created"), 1)
    await tell_all(alice, bob)
    for person, username in ((alice, "alice"), (bob, "bob")):
        await counts(feed(person), 2)
        events = heard(witness.sockets_of(username), "event")
        assert [event["event_type"] for event in events] == ["resource.created", "told.all"]
    await titled(tab, TITLE)


async def test_stranger_is_told_4003_in_words_and_not_retried(tab, shared_app, layer):
    await tab.clock.install()
    await visit(tab, shared_app)
    witness = Witness(tab)
    mallory = await choose(tab, session(tab, "Bob"), "mallory")
    await shows(status(mallory, "Notifications"), "Connected")
    refused = "You are not a member of this organization. Not reconnecting."
    await shows(status(mallory, "Organization"), refused)
    await shows(frames(mallory, "4003 FORBIDDEN"), refused)
    await later(tab)
    await tell_all(session(tab, "Alice"))
    await press(mallory, "Notify me")
    await counts(notifications(mallory).filter(has_text="Hello, Mallory"), 1)
    await counts(feed(mallory), 0)
    organizations = [each for each in witness.sockets if each.stream == "Organization"]
    assert [each.types() for each in organizations] == [["connection.closing"]]
    assert witness.asked_for_tokens == ["mallory"]


async def alice_in_both_halves(tab, app):
    """Visit the page, and sign Alice in on the right too."""
    await visit(tab, app)
    left = session(tab, "Alice").first
    right = await choose(tab, session(tab, "Bob"), "alice")
    for socket in SOCKETS:
        await shows(status(right, socket), "Connected")
    return left, right


async def test_user_in_both_halves_hears_in_both(tab, shared_app, layer):
    left, right = await alice_in_both_halves(tab, shared_app)
    await press(left, "Notify me")
    for half in (left, right):
        await counts(notifications(half).filter(has_text="Hello, Alice"), 1)
        await shows(unread(half), "1 unread")
    await tell_all(left, right)
    await titled(tab, f"(2) {TITLE}")
    # Each half is a browser of its own, and what is read in one is read in the other.
    await press(left, "Mark all read")
    await counts(unread(right), 0)
    await titled(tab, TITLE)


async def test_user_in_both_halves_signs_out_of_one(tab, shared_app, layer):
    left, right = await alice_in_both_halves(tab, shared_app)
    await press(left, "Sign out")
    await shows(left.get_by_role("alert"), "The session has ended.")
    await press(right, "Notify me")
    await counts(notifications(right).filter(has_text="Hello, Alice"), 1)
    await tell_all(right)
    await counts(frames(right, "4001 UNAUTHORIZED"), 0)
    await counts(right.get_by_role("alert"), 0)
