"""The guide's Celery task in a worker process; notebook 08 runs it in memory."""

import pytest
from kombu import Connection

from api.tasks import process_document
from demo.people import ORG_ID
from devrealm.accounts import PEOPLE
from tests.wire.servers import COMMANDS, real_redis, serving

pytestmark = pytest.mark.full

ALICE = PEOPLE["alice"].subject
WORKER = ["-m", "celery", "-A", "config", "worker", "--pool", "solo", "--loglevel", "INFO"]


async def test_task_in_another_process_tells_the_user_and_the_organization(environment, connect):
    with real_redis() as port:
        settings = environment | {"REDIS_HOST": "127.0.0.1", "REDIS_PORT": str(port)}
        server = serving([*COMMANDS["daphne"], "config.asgi:application"], **settings)
        with server as server, serving(WORKER, **settings):
            notified = await connect(server, "/ws/notifications/", "alice")
            member = await connect(server, f"/ws/events/{ORG_ID}/", "bob")
            for client in (notified, member):
                assert (await client.receive())["type"] == "connection.established"

            with Connection(f"redis://127.0.0.1:{port}/0") as broker:
                process_document.apply_async([ALICE, str(ORG_ID), "doc-1"], connection=broker)

            notification = (await notified.receive())["notification"]
            assert notification["title"] == "Document Processed"
            assert notification["body"] == "Document doc-1 has been processed successfully"
            event = await member.receive()
            assert event["event_type"] == "document.processed"
            assert event["data"]["document_id"] == "doc-1"
            assert event["data"]["processed_by"] == ALICE
