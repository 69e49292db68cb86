import pytest
from asgiref.sync import sync_to_async
from django.db import transaction

from api.models import Organization, SampleResource
from devrealm.people import ORG_ID
from tests.dialogue import EVENTS, established

pytestmark = pytest.mark.usefixtures("people", "layer")


def create(name, *, rolled_back=False):
    with transaction.atomic():
        resource = SampleResource.objects.create(org_id=ORG_ID, name=name)
        transaction.set_rollback(rolled_back)
    return resource


async def test_created_resource_is_an_event_of_its_organisation():
    async with established(EVENTS, "alice") as alice:
        resource = await sync_to_async(create)("Plan")
        assert await alice.receive() == {
            "type": "event",
            "event_type": "resource.created",
            "data": {
                "resource_id": str(resource.id),
                "resource_name": "Plan",
                "created_at": resource.created_at.isoformat(),
            },
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


async def test_resource_of_another_organisation_is_not_heard():
    other = await Organization.objects.acreate(name="Other")
    async with established(EVENTS, "alice") as alice:
        await SampleResource.objects.acreate(org_id=other.id, name="Secret")
        assert await alice.receive_nothing()
