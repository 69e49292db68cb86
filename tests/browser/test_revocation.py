"""A right that ends while the page is open: its sockets close, and nobody else's."""

import jwt
import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth import get_user_model

from api.consumers import broadcast_notification, broadcast_org_event
from api.models import Membership
from demo.people import ORG_ID
from devrealm.accounts import PEOPLE
from realtime.authority.users import end_session
from realtime.identity.issuers import trusted_issuer
from tests.browser.chromium import fixture
from tests.browser.demo_page import (
    SOCKETS,
    counts,
    frames,
    later,
    press,
    session,
    shows,
    status,
    visit,
)
from tests.browser.network_log import Witness

ALICE = PEOPLE["alice"].subject

ALICES = [("alice", "Notifications"), ("alice", "Organization")]
BOBS = [("bob", "Notifications"), ("bob", "Organization")]

NOT_A_MEMBER = "You are not a member of this organization."
SIGNED_OUT = "The session was signed out."


@fixture
async def stage(tab, shared_app, layer, restored):
    """The page with all its sockets open, and what witnesses it."""
    witness = Witness(tab)
    await tab.clock.install()
    await visit(tab, shared_app)
    return tab, witness


async def send_to_all(tab):
    """Send Alice and the organization something, and wait until Bob has his part of it."""
    await broadcast_notification(ALICE, {"title": "Afterwards", "body": ""})
    await broadcast_org_event(str(ORG_ID), "sent.afterwards", {})
    await shows(session(tab, "Bob").get_by_role("list", name="feed"), "sent.afterwards")


def heard(witness, username):
    """Return the types of what was sent to somebody on all their sockets."""
    types = [type for socket in witness.sockets_of(username) for type in socket.types()]
    return [type for type in types if type in ("notification", "event")]


# The membership ends: 4003, and the client stays away


async def leave_by_the_button(alice):
    await press(alice, "Leave the organization")


async def lose_the_membership(alice):
    await Membership.objects.filter(user__token_identities__subject=ALICE).adelete()


@pytest.mark.parametrize("leave", [leave_by_the_button, lose_the_membership])
async def test_member_no_more_is_told_4003_and_hears_only_what_is_theirs(stage, leave):
    tab, witness = stage
    alice = session(tab, "Alice")
    await leave(alice)
    await shows(status(alice, "Organization"), f"{NOT_A_MEMBER} Not reconnecting.")
    await counts(frames(alice, "4003 FORBIDDEN", NOT_A_MEMBER), 1)
    await later(tab)
    await send_to_all(tab)
    await shows(alice.get_by_role("list", name="Notifications"), "Afterwards")
    assert heard(witness, "alice") == ["notification"]
    assert len(witness.sockets) == 4
    assert witness.open_sockets() == [ALICES[0], *BOBS]
    assert sorted(witness.asked_for_tokens) == ["alice", "bob"]
    await counts(alice.get_by_role("alert"), 0)

    await press(alice, "Join the organization")
    await shows(status(alice, "Organization"), "Connected")
    assert len(witness.sockets) == 5
    assert witness.open_sockets() == [*ALICES, *BOBS]


# The user or the session ends: 4001, one new token, and then only a user can help


@sync_to_async
def disable_alice():
    # Another issuer's Alice may have been here too.
    user = get_user_model().objects.get(
        token_identities__issuer=trusted_issuer().issuer, token_identities__subject=ALICE
    )
    user.is_active = False
    user.save()


async def test_user_who_is_disabled_comes_back_once_with_a_new_token_and_then_stops(stage):
    tab, witness = stage
    alice = session(tab, "Alice")
    await disable_alice()
    for socket in SOCKETS:
        await shows(status(alice, socket), "The user is disabled. Sign in again.")
    await shows(alice.get_by_role("alert"), "The session has ended.")
    # Each was closed, came back, and was refused.
    await counts(frames(alice, "4001 UNAUTHORIZED", "Reconnecting."), 2)
    await counts(frames(alice, "4001 UNAUTHORIZED", "Sign in again."), 2)
    await later(tab)
    await send_to_all(tab)
    assert heard(witness, "alice") == []
    assert len(witness.sockets) == 6
    assert witness.open_sockets() == BOBS
    assert sorted(witness.asked_for_tokens) == ["alice", "alice", "bob"]


async def test_user_who_signs_out_is_asked_to_sign_in(stage):
    tab, witness = stage
    alice = session(tab, "Alice")
    await press(alice, "Sign out")
    await counts(frames(alice, "4001 UNAUTHORIZED", SIGNED_OUT), 2)
    for socket in SOCKETS:
        await shows(status(alice, socket), "You signed out. Sign in again.")
    await shows(alice.get_by_role("alert"), "The session has ended.")
    await later(tab)
    await send_to_all(tab)
    assert heard(witness, "alice") == []
    assert len(witness.sockets) == 4
    assert witness.open_sockets() == BOBS
    assert sorted(witness.asked_for_tokens) == ["alice", "bob"]


async def session_of(tab, user):
    """Return the session of the token in use, which a request of the page carries."""
    async with tab.expect_request("**/api/me/notifications/") as asked:
        await press(user, "Notify me")
    # It must have been let in: an end that comes before it would have it refused.
    await shows(user.get_by_role("list", name="Notifications"), "Hello")
    token = (await asked.value).headers["authorization"].removeprefix("Bearer ")
    return jwt.decode(token, options={"verify_signature": False})["sid"]


async def test_session_that_ends_elsewhere_is_followed_by_another_for_both_sockets(stage):
    tab, witness = stage
    alice = session(tab, "Alice")
    await sync_to_async(end_session)(await session_of(tab, alice))
    await counts(frames(alice, "4001 UNAUTHORIZED", SIGNED_OUT), 2)
    for socket in SOCKETS:
        await shows(status(alice, socket), "Connected")
    await send_to_all(tab)
    await shows(alice.get_by_role("list", name="Notifications"), "Afterwards")
    assert sorted(heard(witness, "alice")) == ["event", "notification", "notification"]
    assert len(witness.sockets) == 6
    assert witness.open_sockets() == [*ALICES, *BOBS]
    assert sorted(witness.asked_for_tokens) == ["alice", "alice", "bob"]
