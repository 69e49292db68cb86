import pytest
from asgiref.sync import sync_to_async

from api.tasks import process_document
from demo.people import ORG_ID
from devrealm.accounts import PEOPLE
from tests.app.dialogue import EVENTS, NOTIFICATIONS, established

pytestmark = pytest.mark.usefixtures("people", "layer")

ALICE = PEOPLE["alice"].subject


async def test_task_tells_the_user_and_the_organization():
    async with (
        established(NOTIFICATIONS, "alice") as notified,
        established(EVENTS, "bob") as member,
    ):
        await sync_to_async(process_document)(ALICE, str(ORG_ID), "doc-1")
        notification = (await notified.receive())["notification"]
        assert notification["title"] == "Document Processed"
        assert notification["body"] == "Document doc-1 has been processed successfully"
        event = await member.receive()
        assert event["event_type"] == "document.processed"
        assert set(event["data"]) == {"document_id", "processed_by", "timestamp"}
        assert (event["data"]["document_id"], event["data"]["processed_by"]) == ("doc-1", ALICE)
        assert event["data"]["timestamp"] == notification["timestamp"]
