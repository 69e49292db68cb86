import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth import get_user_model
from django.db import transaction

from api.models import Membership, Organization, SampleResource
from demo.people import ORG_ID, settle
from devrealm.accounts import PEOPLE
from realtime.authority.users import end_session, sign_out
from realtime.models import Identity
from tests.app.dialogue import EVENTS, established
from tests.app.test_layer import noting_sends

ALICE = PEOPLE["alice"].subject
ACME = {"topic": "organization", "key": str(ORG_ID)}

pytestmark = pytest.mark.usefixtures("people", "layer")


def create(name, *, rolled_back=False):
    with transaction.atomic():
        resource = SampleResource.objects.create(org_id=ORG_ID, name=name)
        transaction.set_rollback(rolled_back)
    return resource


async def test_created_resource_is_an_event_of_its_organization():
    async with established(EVENTS, "alice") as alice:
        resource = await sync_to_async(create)("Plan")
        event = await alice.receive()
        assert event.pop("position") == alice.position
        assert event == {
            "type": "event",
            "event_type": "resource.created",
            "data": {
                "resource_id": str(resource.id),
                "resource_name": "Plan",
                "created_at": resource.created_at.isoformat(),
            },
            "offset": 1,
        }


async def test_resource_that_is_rolled_back_is_no_event():
    async with established(EVENTS, "alice") as alice:
        await sync_to_async(create)("Phantom", rolled_back=True)
        assert await alice.receive_nothing()


async def test_changed_resource_is_no_event():
    resource = await sync_to_async(create)("Plan")
    async with established(EVENTS, "alice") as alice:
        await sync_to_async(resource.save)()
        assert await alice.receive_nothing()


async def test_resource_of_another_organization_is_not_heard():
    other = await Organization.objects.acreate(name="Other")
    async with established(EVENTS, "alice") as alice:
        await SampleResource.objects.acreate(org_id=other.id, name="Secret")
        assert await alice.receive_nothing()


@pytest.mark.parametrize("rolled_back", [False, True], ids=["committed", "rolled back"])
@pytest.mark.parametrize("layer", ["pubsub"], indirect=True)
async def test_end_of_authority_waits_for_the_transaction(rolled_back):
    def take_away():
        with transaction.atomic():
            Membership.objects.filter(user__token_identities__subject=ALICE).delete()
            said_early.append(bool(said))
            transaction.set_rollback(rolled_back)

    said, said_early = [], []
    async with established(EVENTS, "alice") as alice:
        with noting_sends(said):
            await sync_to_async(take_away)()
        assert said_early == [False]
        if rolled_back:
            assert await alice.receive_nothing()
        else:
            assert (await alice.receive())["code"] == 4003


def rows():
    user = Identity.objects.get(subject=ALICE).user
    return user, Organization.objects.get(), Membership.objects.get(user=user)


def changes():
    """Yield what is changed, and what is said of it."""
    user, organization, membership = rows()
    yield lambda: user.save(), []
    yield lambda: [user.set_password("new"), user.save(update_fields=["last_login"])], []
    yield lambda: user.save(), [{"user": str(user.pk)}]
    yield lambda: [user.set_unusable_password(), user.save()], [{"user": str(user.pk)}]
    yield lambda: get_user_model().objects.only("email").get(pk=user.pk).save(), []
    yield lambda: get_user_model().objects.create_user("new", password="new"), []
    yield lambda: organization.save(), []
    yield lambda: membership.save(), [ACME]
    yield (
        lambda: Membership.objects.filter(pk=membership.pk).delete(),
        [ACME | {"user": str(user.pk)}],
    )
    yield lambda: settle(), []
    yield lambda: end_session("s"), [{"session": "s"}]
    yield lambda: end_session("s"), []
    yield lambda: end_session("s", with_offline=True), [{"session": "s"}]
    yield lambda: end_session("s", with_offline=True), []
    yield lambda: sign_out(ALICE, 100), [{"subject": ALICE}]
    yield lambda: [setattr(user, "is_active", False), user.save()], [{"user": str(user.pk)}]
    yield lambda: [setattr(user, "is_active", True), user.save()], []
    yield lambda: [setattr(organization, "is_active", False), organization.save()], [ACME]
    yield lambda: organization.delete(), [ACME]  # once, not once for each member
    yield lambda: user.delete(), [{"user": str(user.pk)}, {"subject": ALICE}]


@pytest.mark.parametrize("layer", ["pubsub"], indirect=True)
async def test_each_change_says_what_it_ends_and_no_more():
    def run():
        for change, expected in changes():
            said = []
            with noting_sends(said):
                change()
            assert [message["change"] for ((group, message),) in said] == expected

    await sync_to_async(run)()
