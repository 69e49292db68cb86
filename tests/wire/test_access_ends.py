"""A right that another process takes away: its sockets close on every server, the others live."""

import time
from contextlib import ExitStack, contextmanager
from uuid import uuid4

import pytest
from asgiref.sync import sync_to_async

from api.consumers import broadcast_org_event
from api.models import Membership, Organization
from classroom import PATIENCE
from devrealm.issue import access_token
from realtime.authority.users import active_user, end_session
from realtime.models import Identity
from realtime.protocol.close_codes import CloseCode
from tests.app.test_tokens import logout_token
from tests.lanes import in_full
from tests.wire.fixtures import RECHECK_SECONDS, layer_on, watched
from tests.wire.servers import eventually

# The servers, two at once in the full lane, and the layer on which all of them hear the change.
STAGES = {
    "realtime.server": (["realtime.server"], "pubsub"),
    "pubsub": (["daphne", "uvicorn"], "pubsub"),
    "core": (["daphne", "uvicorn"], "core"),
}


class Stage:
    """An organization and two members, on servers that run."""

    def __init__(self, servers):
        self.servers = servers
        self.org_id, self.first, self.second = str(uuid4()), f"first {uuid4()}", f"second {uuid4()}"

    @property
    def path(self) -> str:
        return f"/ws/events/{self.org_id}/"

    def token(self, subject: str) -> str:
        return access_token("alice", sub=subject, sid=subject)

    def prepare(self):
        organization = Organization.objects.create(id=self.org_id, name=self.org_id)
        for subject in (self.first, self.second):
            user = active_user({"sub": subject})
            Membership.objects.create(organization=organization, user=user)

    # What this process changes, which is none of the servers'.

    def disable_user(self):
        user = Identity.objects.get(subject=self.first).user
        user.is_active = False
        user.save()

    def end_session(self):
        end_session(self.first)

    def end_membership(self):
        Membership.objects.filter(user__token_identities__subject=self.first).delete()

    def deactivate_organization(self):
        organization = Organization.objects.get(id=self.org_id)
        organization.is_active = False
        organization.save()

    def delete_organization(self):
        Organization.objects.get(id=self.org_id).delete()


@pytest.fixture(params=["realtime.server", *in_full(["pubsub", "core"])])
async def stage(request, start, redis_port, shared_database):
    names, layer = STAGES[request.param]
    async with layer_on(redis_port, layer):
        with ExitStack() as stack:
            see = contextmanager(watched)
            stage = Stage([stack.enter_context(see(start(name, layer))) for name in names])
            await sync_to_async(stage.prepare)()
            yield stage


CHANGES = {
    "user disabled": (Stage.disable_user, CloseCode.UNAUTHORIZED),
    "session ended": (Stage.end_session, CloseCode.UNAUTHORIZED),
    "membership ended": (Stage.end_membership, CloseCode.FORBIDDEN),
}


@pytest.mark.parametrize(("change", "code"), CHANGES.values(), ids=CHANGES)
async def test_right_taken_away_elsewhere_closes_its_sockets(stage, connect, change, code):
    """The servers look nobody up meanwhile, so it is the message of the change that does it."""
    assert PATIENCE < RECHECK_SECONDS
    theirs, others = [], []
    for server in stage.servers:
        for clients, subject in ((theirs, stage.first), (others, stage.second)):
            client = await connect(server, stage.path, token=stage.token(subject))
            assert (await client.receive())["type"] == "connection.established"
            clients.append(client)
    await sync_to_async(change)(stage)
    for client in theirs:
        assert (await client.receive())["code"] == code
        assert await client.closed() == code
    await broadcast_org_event(stage.org_id, "after", {})
    for client in others:
        assert (await client.receive())["event_type"] == "after"


async def test_logout_of_a_user_closes_all_sessions_and_a_new_one_can_begin(stage, connect):
    """By a logout token with `sub` and no `sid` (OpenID Connect Back-Channel Logout 1.0, 2.4)."""
    now = int(time.time())

    def token(subject, iat):
        return access_token("alice", sub=subject, sid=str(uuid4()), iat=iat)

    sockets = []
    for subject in (stage.first, stage.first, stage.second):
        server = stage.servers[len(sockets) % len(stage.servers)]
        sockets.append(await connect(server, stage.path, token=token(subject, now)))
        assert (await sockets[-1].receive())["type"] == "connection.established"
    async with stage.servers[0].requests() as http:
        word = logout_token(sub=stage.first, sid=None, iat=now)
        answer = await http.post("/api/backchannel-logout/", data={"logout_token": word})
    assert answer.status_code == 200
    for closed in sockets[:2]:
        assert (await closed.receive())["code"] == CloseCode.UNAUTHORIZED
    for iat, first in ((now, "connection.closing"), (now + 1, "connection.established")):
        again = await connect(stage.servers[0], stage.path, token=token(stage.first, iat))
        assert (await again.receive())["type"] == first
    await broadcast_org_event(stage.org_id, "after", {})
    assert (await sockets[2].receive())["event_type"] == "after"


ENDS = {"is_active = False": Stage.deactivate_organization, "delete": Stage.delete_organization}


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
async def test_organization_that_ends_elsewhere_closes_all_its_sockets(stage, connect, end):
    clients = []
    for server in stage.servers:
        for subject in (stage.first, stage.second):
            client = await connect(server, stage.path, token=stage.token(subject))
            assert (await client.receive())["type"] == "connection.established"
            clients.append(client)
    await sync_to_async(end)(stage)
    for client in clients:
        assert (await client.receive())["code"] == CloseCode.FORBIDDEN
        assert await client.closed() == CloseCode.FORBIDDEN
    again = await connect(stage.servers[0], stage.path, token=stage.token(stage.first))
    assert (await again.receive())["code"] == CloseCode.FORBIDDEN


async def test_watch_leaves_nothing_in_redis(server, connect, redis):
    client = await connect(server, "/ws/notifications/", "alice")
    await client.receive()
    assert b"asgi__group__access" in await redis.pubsub_channels()
    await client.leave()

    async def is_gone():
        return b"asgi__group__access" not in await redis.pubsub_channels()

    await eventually(is_gone)
