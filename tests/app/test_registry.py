"""Sockets end with their access, on each layer, and the others live."""

import asyncio
import threading
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from functools import partial

import pytest
from asgiref.sync import sync_to_async
from channels.db import database_sync_to_async
from django.contrib.auth import get_user_model
from django.db import OperationalError

from api.consumers import broadcast_org_event
from api.models import Membership, Organization
from api.topics import organization_topic
from demo.people import ORG_ID
from devrealm.accounts import PEOPLE
from devrealm.issue import access_token
from realtime.authority import access as access_module
from realtime.authority import registry as registry_module
from realtime.authority.registry import change_in, registry
from realtime.authority.users import end_session, sign_out
from realtime.concurrency.batched_query import BatchedQuery
from realtime.models import Identity
from realtime.protocol.close_codes import CloseCode
from realtime.protocol.groups import ACCESS_GROUP
from realtime.sockets import connection
from tests.app.dialogue import EVENTS, NOTIFICATIONS, established, socket
from tests.wire.servers import eventually

pytestmark = pytest.mark.usefixtures("people", "layer")

ON_PUBSUB = pytest.mark.parametrize("layer", ["pubsub"], indirect=True)
ALICE, BOB = PEOPLE["alice"].subject, PEOPLE["bob"].subject
LATER = 4_102_444_800


def disable(subject):
    user = Identity.objects.get(subject=subject).user
    user.is_active = False
    user.save()


def disable_silently(subject):
    get_user_model().objects.filter(token_identities__subject=subject).update(is_active=False)


def deactivate_organization():
    organization = Organization.objects.get(id=ORG_ID)
    organization.is_active = False
    organization.save()


def memberships_of(subject):
    return Membership.objects.filter(user__token_identities__subject=subject)


ENDS = {
    "user disabled": (partial(disable, ALICE), NOTIFICATIONS, 4001),
    "user disabled, events": (partial(disable, ALICE), EVENTS, 4001),
    "user deleted": (
        lambda: get_user_model().objects.get(token_identities__subject=ALICE).delete(),
        NOTIFICATIONS,
        4001,
    ),
    "session signed out": (partial(end_session, "first"), NOTIFICATIONS, 4001),
    "session signed out, events": (partial(end_session, "first"), EVENTS, 4001),
    "user signed out": (partial(sign_out, ALICE, LATER), NOTIFICATIONS, 4001),
    "user signed out, events": (partial(sign_out, ALICE, LATER), EVENTS, 4001),
    "membership deleted": (lambda: memberships_of(ALICE).delete(), EVENTS, 4003),
    "membership removed by the organization": (
        lambda: Organization.objects.get().members.remove(
            get_user_model().objects.get(token_identities__subject=ALICE)
        ),
        EVENTS,
        4003,
    ),
    "membership given away": (
        lambda: [
            setattr(m, "user", get_user_model().objects.get(email="mallory@example.com"))
            or m.save()
            for m in memberships_of(ALICE)
        ],
        EVENTS,
        4003,
    ),
}


@pytest.mark.parametrize(("take_away", "path", "code"), ENDS.values(), ids=ENDS)
async def test_socket_whose_authority_ends_is_closed_and_others_live(take_away, path, code):
    token = access_token("alice", sid="first")
    async with established(path, token=token) as alice, established(path, "bob") as bob:
        await sync_to_async(take_away)()
        closing = await alice.receive()
        assert (closing["type"], closing["code"]) == ("connection.closing", code)
        assert await alice.closed() == code
        await bob.send({"type": "ping"})
        assert (await bob.receive())["type"] == "pong"


@pytest.mark.parametrize(
    "take_away",
    [deactivate_organization, lambda: Organization.objects.get().delete()],
    ids=["deactivated", "deleted"],
)
async def test_organization_that_ends_closes_its_sockets_and_no_notifications(take_away):
    async with (
        established(EVENTS, "alice") as alice,
        established(EVENTS, "bob") as bob,
        established(NOTIFICATIONS, "bob") as elsewhere,
    ):
        await sync_to_async(take_away)()
        for client in (alice, bob):
            assert (await client.receive())["code"] == CloseCode.FORBIDDEN
            assert await client.closed() == CloseCode.FORBIDDEN
        assert await elsewhere.receive_nothing()


@ON_PUBSUB
async def test_other_session_of_the_same_user_lives():
    second = access_token("alice", sid="second")
    async with established(NOTIFICATIONS, token=second) as alice:
        await sync_to_async(end_session)("first")
        assert await alice.receive_nothing()


SIGN_OUTS = {"session": partial(end_session, "first"), "user": partial(sign_out, ALICE, LATER)}


@ON_PUBSUB
@pytest.mark.parametrize("sign_out_now", SIGN_OUTS.values(), ids=SIGN_OUTS)
@pytest.mark.parametrize("with_offline", [False, True])
async def test_offline_access_outlives_a_sign_out_unless_that_ends_it_too(
    sign_out_now, with_offline
):
    online = access_token("alice", sid="first")
    offline = access_token("alice", sid="first", scope="openid offline_access")
    async with (
        established(NOTIFICATIONS, token=online) as alice,
        established(NOTIFICATIONS, token=offline) as away,
    ):
        await sync_to_async(sign_out_now)(with_offline=with_offline)
        assert (await alice.receive())["reason"] == "The session was signed out."
        # Both were checked in one query.
        if with_offline:
            assert (await away.receive())["reason"] == "The session was signed out."
        else:
            await away.send({"type": "ping"})
            assert (await away.receive())["type"] == "pong"


@ON_PUBSUB
async def test_nothing_is_delivered_once_the_authority_has_ended(monkeypatch):
    """Even where the socket is busy, and its last frame comes late."""
    async with established(EVENTS, "alice") as alice:
        async with the_only_socket() as consumer:
            consumer.end(registry_module.Refusal(CloseCode.FORBIDDEN, "No longer."))
            await broadcast_org_event(ORG_ID, "secret", {})
        assert (await alice.receive())["code"] == CloseCode.FORBIDDEN
        assert await alice.closed() == CloseCode.FORBIDDEN
        assert await alice.receive_nothing()


@asynccontextmanager
async def the_only_socket():
    (socket,) = registry().everyone()
    yield socket


@ON_PUBSUB
async def test_lost_word_is_made_up_for_by_the_periodic_look_up(settings):
    settings.REALTIME_RECHECK_SECONDS = 0.2
    async with established(NOTIFICATIONS, "alice") as alice, established(EVENTS, "bob") as bob:
        await sync_to_async(disable_silently)(ALICE)
        assert (await alice.receive())["code"] == CloseCode.UNAUTHORIZED
        await bob.send({"type": "ping"})
        assert (await bob.receive())["type"] == "pong"


@ON_PUBSUB
async def test_constant_word_of_others_does_not_put_off_the_periodic_look_up(settings):
    settings.REALTIME_RECHECK_SECONDS = 0.3

    silenced = asyncio.Event()  # a cancellation would get lost between the two loops at times

    async def keep_talking():
        while not silenced.is_set():
            await sync_to_async(organization_topic.changed)(key=ORG_ID)

    async with established(NOTIFICATIONS, "alice") as alice, established(EVENTS, "bob"):
        talk = asyncio.create_task(keep_talking())
        try:
            await sync_to_async(disable_silently)(ALICE)
            assert (await alice.receive())["code"] == CloseCode.UNAUTHORIZED
        finally:
            silenced.set()
            await talk


@ON_PUBSUB
async def test_layer_that_comes_back_has_everybody_looked_up(monkeypatch, layer, caplog):
    monkeypatch.setattr("realtime.layer.subscribe.RETRY", 0.1)
    usual, lost, is_back = layer.receive, asyncio.Event(), asyncio.Event()

    async def receive(channel):
        if channel != registry().subscriber.channel or is_back.is_set():
            return await usual(channel)
        lost.set()
        raise ConnectionResetError("Redis died")

    monkeypatch.setattr(layer, "receive", receive, raising=False)
    async with established(NOTIFICATIONS, "alice") as alice:
        await lost.wait()
        await sync_to_async(disable_silently)(ALICE)
        is_back.set()
        assert (await alice.receive())["code"] == CloseCode.UNAUTHORIZED
    assert (
        "Channel layer unavailable, and tried again in 0.1 s: ConnectionResetError('Redis died')"
        in caplog.text
    )


@ON_PUBSUB
async def test_database_that_is_away_is_asked_again(monkeypatch, caplog):
    monkeypatch.setattr(registry_module, "RETRY", 0.1)
    usual, failures = registry_module.check, []

    async def look_up(authorities):
        if not failures:
            failures.append(authorities)
            raise OperationalError("no such host")
        return await usual(authorities)

    monkeypatch.setattr(registry_module, "check", look_up)
    async with established(NOTIFICATIONS, "alice") as alice:
        await sync_to_async(disable)(ALICE)
        assert (await alice.receive())["code"] == CloseCode.UNAUTHORIZED
    assert (
        "Access check failed, and is tried again: OperationalError('no such host')" in caplog.text
    )


@ON_PUBSUB
async def test_word_during_the_handshake_is_not_lost(monkeypatch):
    """The user is disabled after the middleware's look-up, before the consumer's."""
    usual = registry_module.SocketRegistry.enter

    async def enter(self, socket):
        refusal = await usual(self, socket)
        await sync_to_async(disable_silently)(ALICE)
        return refusal

    monkeypatch.setattr(registry_module.SocketRegistry, "enter", enter)
    async with socket(NOTIFICATIONS, "alice") as alice:
        assert (await alice.receive())["code"] == CloseCode.UNAUTHORIZED
        assert await alice.closed() == CloseCode.UNAUTHORIZED
        assert await alice.receive_nothing()


@ON_PUBSUB
async def test_authority_that_ends_while_connecting_is_told_once_and_without_a_greeting(
    monkeypatch,
):
    from realtime.sockets.connection import Connection

    async def join(self):
        self.end(registry_module.Refusal(CloseCode.UNAUTHORIZED, "Just now."))

    monkeypatch.setattr(Connection, "join", join)
    async with socket(NOTIFICATIONS, "alice") as alice:
        assert (await alice.receive())["reason"] == "Just now."
        assert await alice.closed() == CloseCode.UNAUTHORIZED
        assert await alice.receive_nothing()


@ON_PUBSUB
async def test_user_may_have_as_many_sockets_as_allowed_and_not_one_more(settings):
    settings.REALTIME_SOCKETS_PER_USER = 2
    async with established(NOTIFICATIONS, "alice"), established(EVENTS, "bob"):
        async with established(EVENTS, "alice"):
            async with socket(NOTIFICATIONS, "alice") as third:
                closing = await third.receive()
                assert closing["code"] == CloseCode.TOO_MANY_CONNECTIONS
                assert await third.closed() == CloseCode.TOO_MANY_CONNECTIONS
        async with established(NOTIFICATIONS, "alice"):
            pass


@ON_PUBSUB
async def test_watch_ends_with_the_last_socket(layer):
    async with established(NOTIFICATIONS, "alice"):
        async with established(NOTIFICATIONS, "bob"):
            assert registry().subscriber
        assert registry().subscriber
    assert (registry().subscriber, registry().sockets, registry().to_recheck) == (None, {}, set())
    async with established(NOTIFICATIONS, "alice") as alice:
        await sync_to_async(disable)(ALICE)
        assert (await alice.receive())["code"] == CloseCode.UNAUTHORIZED


async def test_refused_socket_is_watched_no_longer_than_it_is_open():
    async with socket(EVENTS, "mallory") as mallory:
        await mallory.receive()
    assert registry().sockets == {}


@pytest.mark.parametrize("junk", [None, 7, "x", [], {"change": []}, {"change": {7: "x"}}, {}])
def test_message_that_says_nothing_may_concern_everybody(junk):
    assert change_in(junk) == {}


@ON_PUBSUB
async def test_word_is_listened_for_before_anybody_is_looked_up(monkeypatch, layer):
    order, join, look_up = [], layer.group_add, access_module.check_access

    async def slow_group_add(group, channel):
        await asyncio.sleep(0.05)
        await join(group, channel)
        order.append(group)

    def noting_look_up(authorities):
        order.append("looked up")
        return look_up(authorities)

    monkeypatch.setattr(layer, "group_add", slow_group_add, raising=False)
    monkeypatch.setattr(connection, "answer_of", BatchedQuery(noting_look_up))
    async with established(NOTIFICATIONS, "alice"):
        assert order[:2] == [ACCESS_GROUP, "looked up"]


@ON_PUBSUB
async def test_group_is_joined_again_where_redis_forgot_it(settings, layer):
    settings.REALTIME_RECHECK_SECONDS = 0.2
    async with established(NOTIFICATIONS, "alice"):
        await layer.group_discard(ACCESS_GROUP, registry().subscriber.channel)
        assert not is_joined(layer)
        await eventually(lambda: is_joined(layer))


def is_joined(layer) -> bool:
    return any(group.endswith(ACCESS_GROUP) for group in layer.groups)


@ON_PUBSUB
async def test_slow_query_elsewhere_does_not_put_off_the_end():
    done = threading.Event()
    async with established(NOTIFICATIONS, "alice") as alice:
        slow = asyncio.create_task(sync_to_async(done.wait)())
        await database_sync_to_async(disable, thread_sensitive=False)(ALICE)
        assert (await alice.receive())["code"] == CloseCode.UNAUTHORIZED
        done.set()
        await slow


@ON_PUBSUB
async def test_word_during_a_refresh_is_not_lost(monkeypatch):
    """The new token's session ends after it was looked up, before it is trusted."""
    heard, suspect = threading.Event(), registry_module.SocketRegistry._recheck

    def look_up_too_early(authorities):
        found = access_module.check_access(authorities)
        end_session("new")
        assert heard.wait(5)
        return found

    def noting_recheck(self, change):
        suspect(self, change)
        heard.set()

    monkeypatch.setattr(registry_module.SocketRegistry, "_recheck", noting_recheck)
    async with established(NOTIFICATIONS, "alice") as alice:
        monkeypatch.setattr(connection, "answer_of", BatchedQuery(look_up_too_early))
        await alice.send({"type": "token.refresh", "token": access_token("alice", sid="new")})
        frames = [await alice.receive()]
        if frames[0]["type"] == "token.refreshed":
            frames.append(await alice.receive())
        assert frames[-1]["reason"] == "The session was signed out."


@ON_PUBSUB
async def test_watch_that_begins_anew_hears_while_the_last_still_ends(monkeypatch, layer):
    released, usual, first = asyncio.Event(), layer.receive, ""

    async def receive(channel):
        try:
            return await usual(channel)
        except asyncio.CancelledError:
            while channel == first and not released.is_set():
                with suppress(asyncio.CancelledError):
                    await released.wait()
            raise

    monkeypatch.setattr(layer, "receive", receive, raising=False)
    async with AsyncExitStack() as alice:
        await alice.enter_async_context(established(NOTIFICATIONS, "alice"))
        first = registry().subscriber.channel
        leaving = asyncio.create_task(alice.pop_all().aclose())
    await eventually(lambda: not registry().subscriber)
    async with established(NOTIFICATIONS, "bob") as bob:
        released.set()
        await leaving
        await sync_to_async(disable)(BOB)
        assert (await bob.receive())["code"] == CloseCode.UNAUTHORIZED
