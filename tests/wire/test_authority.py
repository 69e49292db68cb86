"""A right that another process takes away: its sockets close on every server, the others live."""

import os
import subprocess
import sys
import time
from uuid import uuid4

import pytest

from api.close_codes import CloseCode
from api.consumers import broadcast_org_event
from devrealm.issue import access_token
from tests.wire.fixtures import layer_on, skip_core_without_redis, watched
from tests.wire.servers import eventually

# Seconds after the commit; what DESIGN and the README promise.
BOUND = 2

CAST = """
import sys, time
import django; django.setup()
from api.models import Identity, Membership, Organization, end_session
_, org_id, first, second = sys.argv
"""
PREPARE = """
organization = Organization.objects.create(id=org_id, name=org_id)
for subject in (first, second):
    user = Identity.objects.active_user({"sub": subject})
    Membership.objects.create(organization=organization, user=user)
"""
CHANGES = {
    "user disabled": (
        "user = Identity.objects.get(subject=first).user; user.is_active = False; user.save()",
        CloseCode.UNAUTHORIZED,
    ),
    "session ended": ("end_session(first)", CloseCode.UNAUTHORIZED),
    "membership ended": (
        "Membership.objects.filter(user__identity__subject=first).delete()",
        CloseCode.FORBIDDEN,
    ),
}


class Stage:
    """An organisation and two members, and changes to them from another process."""

    def __init__(self, environment: dict[str, str]):
        self.environment = os.environ | environment
        self.org_id, self.first, self.second = str(uuid4()), f"first {uuid4()}", f"second {uuid4()}"
        self.change(PREPARE)

    def change(self, code: str) -> float:
        """Run the code in a process of its own; return when it was done, by the wall clock."""
        done = subprocess.run(
            [sys.executable, "-c", f"{CAST}\n{code}\nprint(time.time())"]
            + [self.org_id, self.first, self.second],
            env=self.environment,
            capture_output=True,
            text=True,
            check=True,
        )
        return float(done.stdout)

    @property
    def path(self) -> str:
        return f"/ws/events/{self.org_id}/"

    def token(self, subject: str) -> str:
        return access_token("alice", sub=subject, sid=subject)


@pytest.fixture(params=["pubsub", "core"])
def stage(request, environment, redis_port):
    skip_core_without_redis(request.param)
    layer = {"REDIS_HOST": "127.0.0.1", "REDIS_PORT": str(redis_port)}
    stage = Stage(environment | layer | {"CHANNEL_LAYER": request.param})
    stage.layer = request.param
    return stage


@pytest.fixture
def both_servers(start, stage):
    """Both servers at once, on one layer: two processes that hear the same word."""
    daphne, uvicorn = (watched(start(name, stage.layer)) for name in ("daphne", "uvicorn"))
    yield from zip(daphne, uvicorn, strict=True)


@pytest.mark.usefixtures("shared_database")
@pytest.mark.parametrize(("change", "code"), CHANGES.values(), ids=CHANGES)
async def test_right_taken_away_elsewhere_closes_its_sockets(
    both_servers, stage, connect, redis_port, change, code
):
    theirs, others = [], []
    for server in both_servers:
        for clients, subject in ((theirs, stage.first), (others, stage.second)):
            client = await connect(server, stage.path, token=stage.token(subject))
            assert (await client.receive())["type"] == "connection.established"
            clients.append(client)
    committed = stage.change(change)
    for client in theirs:
        assert (await client.receive())["code"] == code
        assert time.time() - committed < BOUND
        assert await client.closed() == code
    async with layer_on(redis_port, stage.layer):
        await broadcast_org_event(stage.org_id, "after", {})
    for client in others:
        assert (await client.receive())["event_type"] == "after"


@pytest.mark.parametrize("end", ["is_active = False; organization.save()", "delete()"])
async def test_organisation_that_ends_elsewhere_closes_all_its_sockets(
    both_servers, stage, connect, end
):
    clients = []
    for server in both_servers:
        for subject in (stage.first, stage.second):
            client = await connect(server, stage.path, token=stage.token(subject))
            assert (await client.receive())["type"] == "connection.established"
            clients.append(client)
    stage.change(f"organization = Organization.objects.get(id=org_id); organization.{end}")
    for client in clients:
        assert (await client.receive())["code"] == CloseCode.FORBIDDEN
        assert await client.closed() == CloseCode.FORBIDDEN
    again = await connect(both_servers[0], stage.path, token=stage.token(stage.first))
    assert (await again.receive())["code"] == CloseCode.FORBIDDEN


async def test_watch_leaves_nothing_in_redis(server, connect, redis):
    client = await connect(server, "/ws/notifications/", "alice")
    await client.receive()
    assert b"asgi__group__authority" in await redis.pubsub_channels()
    await client.leave()

    async def is_gone():
        return b"asgi__group__authority" not in await redis.pubsub_channels()

    await eventually(is_gone)
