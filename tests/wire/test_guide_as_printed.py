"""The guide's own client and sender examples, word for word where they are code."""

import asyncio
import os
import subprocess
import sys
import textwrap

import pytest

from demo.people import ORG_ID
from devrealm.accounts import PEOPLE

pytestmark = pytest.mark.full

# As the guide prints them, but for the ids, which must be somebody's.
ASYNC_SENDER = """
from api.consumers import broadcast_notification

# In async context
await broadcast_notification("user-123", {
    "title": "New Message",
    "body": "You have a new message from John",
    "timestamp": "2025-01-15T10:30:00Z",
    "link": "/messages/456"
})

from api.consumers import broadcast_org_event

await broadcast_org_event(
    org_id="org-123",
    event_type="user.joined",
    data={
        "user_id": "user-456",
        "user_email": "newuser@example.com",
        "timestamp": "2025-01-15T10:30:00Z"
    }
)
"""
SYNC_SENDER = """
from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from api.consumers import broadcast_notification, broadcast_org_event

async_to_sync(broadcast_notification)("user-123", {
    "title": "Task Completed",
    "body": "Your export is ready for download"
})

async_to_sync(broadcast_org_event)(
    org_id="org-123",
    event_type="resource.created",
    data={
        "resource_id": "res-789",
        "resource_type": "document",
        "created_by": "user-123"
    }
)
"""


def program(code: str, *, is_async: bool) -> str:
    """Return the guide's code as a program of its own, on the demo's ids."""
    code = code.replace("user-123", PEOPLE["alice"].subject).replace("org-123", str(ORG_ID))
    if is_async:
        body = textwrap.indent(code, "    ")
        code = f"async def main():\n{body}\nimport asyncio\nasyncio.run(main())\n"
    return f"import django\ndjango.setup()\n{code}"


async def test_guides_senders_reach_the_sockets_from_another_process(
    environment, start, redis_port, connect
):
    server = start("daphne", "pubsub")
    notified = await connect(server, "/ws/notifications/", "alice")
    member = await connect(server, f"/ws/events/{ORG_ID}/", "bob")
    for client in (notified, member):
        assert (await client.receive())["type"] == "connection.established"
    settings = environment | {"REDIS_HOST": "127.0.0.1", "REDIS_PORT": str(redis_port)}
    for code, is_async in ((ASYNC_SENDER, True), (SYNC_SENDER, False)):
        await run(program(code, is_async=is_async), settings)
    titles = [(await notified.receive())["notification"]["title"] for _ in range(2)]
    events = [(await member.receive())["event_type"] for _ in range(2)]
    assert titles == ["New Message", "Task Completed"]
    assert events == ["user.joined", "resource.created"]


async def test_guides_user_id_that_nobody_has_reaches_nobody_and_raises_nothing(
    environment, redis_port
):
    settings = environment | {"REDIS_HOST": "127.0.0.1", "REDIS_PORT": str(redis_port)}
    await run(program(SYNC_SENDER.replace("user-123", "user-0"), is_async=False), settings)


async def test_guides_org_id_that_no_organization_can_have_is_rejected(environment):
    """No organization has this id, so no client would receive the frame, and no sender know it."""
    done = await ran(f"import django\ndjango.setup()\n{SYNC_SENDER}", environment)
    assert "ValueError: `org_id` cannot be 'org-123'" in done.stderr


async def run(code: str, environment: dict) -> None:
    """Run a program in a process of its own, as a shell or a cron job would."""
    done = await ran(code, environment)
    assert (done.returncode, done.stderr) == (0, "")


async def ran(code: str, environment: dict) -> subprocess.CompletedProcess:
    return await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-c", code],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=60,
    )
