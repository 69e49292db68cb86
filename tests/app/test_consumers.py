import contextlib
from uuid import UUID

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth.models import AnonymousUser
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.consumers import (
    broadcast_notification,
    broadcast_org_event,
    notification_for,
    org_event_for,
)
from api.models import Membership, Organization
from demo.people import ORG_ID
from devrealm.accounts import PEOPLE
from realtime.models import Identity, Stream
from realtime.protocol.close_codes import CloseCode
from realtime.senders import broadcast_many
from tests.app.dialogue import EVENTS, NOTIFICATIONS, established, socket

ALICE, BOB = PEOPLE["alice"].subject, PEOPLE["bob"].subject

pytestmark = pytest.mark.usefixtures("people", "layer")


async def test_notification_reaches_every_socket_of_its_user_only():
    async with (
        established(NOTIFICATIONS, "alice") as one,
        established(NOTIFICATIONS, "alice") as other,
        established(NOTIFICATIONS, "bob") as bob,
        established(EVENTS, "alice") as events,
    ):
        await broadcast_notification(ALICE, {"title": "Hello"})
        frame = await one.receive()
        assert frame.pop("position").startswith("1.")
        assert frame == {"type": "notification", "notification": {"title": "Hello"}, "offset": 1}
        assert (await other.receive())["position"] == one.position
        assert await bob.receive_nothing()
        assert await events.receive_nothing()


async def test_event_reaches_every_member_of_its_organization_only():
    async with (
        established(EVENTS, "alice") as alice,
        established(EVENTS, "bob") as bob,
        established(NOTIFICATIONS, "bob") as notifications,
    ):
        await broadcast_org_event(ORG_ID, "user.joined", {"user_id": "user-456"})
        data = {"user_id": "user-456"}
        frame = await alice.receive()
        assert frame == await bob.receive()
        assert frame.pop("position").startswith("1.")
        assert frame == {"type": "event", "event_type": "user.joined", "data": data, "offset": 1}
        assert await notifications.receive_nothing()


async def test_unknown_inactive_and_foreign_organization_are_refused_alike():
    inactive = await Organization.objects.acreate(name="Gone", is_active=False)
    frames = []
    for org_id in (ORG_ID, inactive.id, "00000000-0000-4000-8000-00000000dead"):
        async with socket(f"/ws/events/{org_id}/", "mallory") as mallory:
            frames.append(await mallory.receive())
            assert await mallory.closed() == CloseCode.FORBIDDEN
    assert frames[0] == frames[1] == frames[2]


async def test_frames_of_one_sender_arrive_in_order():
    async with established(NOTIFICATIONS, "alice") as alice:
        for number in range(20):
            await broadcast_notification(ALICE, {"n": number})
        heard = [(await alice.receive())["notification"]["n"] for _ in range(20)]
    assert heard == list(range(20))


USER_ERRORS = [
    (None, TypeError, "not NoneType. It is the `sub` of the user's tokens"),
    (7, TypeError, "not int"),
    (b"alice", TypeError, "not bytes"),
    (AnonymousUser(), TypeError, "not AnonymousUser"),
    ("", ValueError, "1 to 255 characters, not 0"),
    ("x" * 256, ValueError, "1 to 255 characters, not 256"),
    ("\ud800", ValueError, "half a surrogate pair"),
]


@pytest.mark.parametrize(("user_id", "error", "words"), USER_ERRORS)
async def test_recipient_that_is_no_subject_is_rejected_before_a_row_is_written(
    user_id, error, words
):
    with pytest.raises(error, match=words):
        await broadcast_notification(user_id, {"title": "Hello"})
    assert not await Stream.objects.aexists()


ORG_ERRORS = [
    (None, TypeError, "not NoneType. For an organization it is `organization.id`"),
    (7, TypeError, "not int"),
    (Organization(name="Acme"), TypeError, "not Organization"),
    ("acme", ValueError, "`org_id` cannot be 'acme'"),
    ("", ValueError, "`org_id` cannot be ''"),
]


@pytest.mark.parametrize(("org_id", "error", "words"), ORG_ERRORS)
async def test_recipient_that_is_no_uuid_is_rejected_before_a_row_is_written(org_id, error, words):
    with pytest.raises(error, match=words):
        await broadcast_org_event(org_id, "created", {})
    assert not await Stream.objects.aexists()


@pytest.mark.parametrize("notification", ["Hello", None, [("title", "Hello")]])
async def test_notification_is_a_dict(notification):
    with pytest.raises(TypeError, match="A notification is a dict"):
        await broadcast_notification(ALICE, notification)


@pytest.mark.parametrize("event_type", [None, 7, {}])
async def test_type_of_an_event_is_a_string(event_type):
    with pytest.raises(TypeError, match="An event's type is a string"):
        await broadcast_org_event(ORG_ID, event_type, {})


@pytest.mark.parametrize("value", [float("nan"), b"bytes", 2**53, "\ud800", "x" * 70_000])
async def test_what_cannot_be_sent_raises_at_the_sender_and_writes_nothing(value):
    with pytest.raises((TypeError, ValueError)):
        await broadcast_many(
            [notification_for(ALICE, {"n": 1}), notification_for(ALICE, {"value": value})]
        )
    assert not await Stream.objects.aexists()


async def test_uuid_of_a_user_is_his_subject_spelled():
    async with established(NOTIFICATIONS, "alice") as alice:
        await broadcast_notification(UUID(ALICE), {"n": 1})
        assert (await alice.receive())["notification"] == {"n": 1}


async def test_many_frames_are_sent_at_once_and_each_to_its_own():
    async with (
        established(NOTIFICATIONS, "alice") as alice,
        established(NOTIFICATIONS, "bob") as bob,
        established(EVENTS, "bob") as member,
    ):
        await broadcast_many(
            [
                notification_for(ALICE, {"n": 1}),
                org_event_for(str(ORG_ID).upper(), "both", {}),
                notification_for(BOB, {"n": 2}),
                notification_for(ALICE, {"n": 3}),
            ]
        )
        heard = [(await alice.receive())["notification"]["n"] for _ in range(2)]
        assert heard == [1, 3]
        assert (await bob.receive())["notification"]["n"] == 2
        assert (await member.receive())["event_type"] == "both"


async def test_many_may_be_none():
    await broadcast_many([])
    assert not await Stream.objects.aexists()


READERS = [("alice", None), ("bob", None), ("alice", 0), ("bob", 0), ("bob", 1)]
steps = st.lists(
    st.tuples(st.sampled_from(["join", "leave", "send"]), st.integers(0, len(READERS) - 1)),
    max_size=25,
)


# On one layer: cancelling a read of the core layer in process waits the read out, 5 s.
@pytest.mark.parametrize("layer", ["pubsub"], indirect=True)
@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(steps)
def test_nobody_hears_what_is_not_theirs_under_any_interleaving(steps):
    async_to_sync(interleave)(steps)


async def interleave(steps):
    """Play the steps on sockets and on a model: a set of readers, and what each should hear."""
    second, _ = await Organization.objects.aget_or_create(name="Second")
    bob = await Identity.objects.select_related("user").aget(subject=BOB)
    await Membership.objects.aget_or_create(organization=second, user=bob.user)
    organizations = [ORG_ID, second.id]
    async with contextlib.AsyncExitStack() as stack:
        joined = {}
        for number, (action, index) in enumerate(steps):
            username, organization = READERS[index]
            if action == "join" and index not in joined:
                path = NOTIFICATIONS if organization is None else org_path(organizations, index)
                own = await stack.enter_async_context(contextlib.AsyncExitStack())
                joined[index] = own, await own.enter_async_context(established(path, username))
            elif action == "leave" and index in joined:
                await joined.pop(index)[0].aclose()
            elif action == "send":
                if organization is None:
                    await broadcast_notification(PEOPLE[username].subject, {"n": number})
                else:
                    await broadcast_org_event(organizations[organization], "n", {"n": number})
                for other, (_, reader) in joined.items():
                    if hears(READERS[other], READERS[index]):
                        frame = await reader.receive()
                        assert (frame.get("notification") or frame["data"])["n"] == number
        for _, reader in joined.values():
            assert await reader.receive_nothing(timeout=0.01)


def org_path(organizations, index):
    return f"/ws/events/{organizations[READERS[index][1]]}/"


def hears(reader, addressee) -> bool:
    """A notification is for one user, an event for one organization."""
    if addressee[1] is None:
        return reader == addressee
    return reader[1] == addressee[1]
