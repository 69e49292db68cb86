"""A socket ends with its token, and hears of it before."""

import asyncio
import time

import pytest
from django.db import OperationalError

from ..authority import registry as registry_module
from ..authority.registry import registry
from ..identity.tokens import LEEWAY
from ..protocol.close_codes import CloseCode
from ..sockets.expiry import Expiry
from ..sockets.mailboxes import Mailbox
from ..testing.tokens import access_token
from .project import OWN, established

pytestmark = pytest.mark.usefixtures("people", "layer")

ON_PUBSUB = pytest.mark.parametrize("layer", ["pubsub"], indirect=True)


def ends_in(seconds: int) -> int:
    """Return the `exp` of a token that a handshake takes for so many seconds more."""
    return int(time.time()) - LEEWAY + seconds


async def test_socket_is_warned_then_closed_when_its_token_ends():
    exp = ends_in(2)
    async with established(OWN, token=access_token("alice", exp=exp)) as alice:
        assert await alice.receive() == {
            "type": "token.expiring",
            "expires_at": alice.greeting["expires_at"],
        }
        closing = await alice.receive()
        assert time.time() >= exp + LEEWAY
        assert (closing["code"], closing["reason"]) == (4001, "The token has expired.")
        assert await alice.closed() == CloseCode.UNAUTHORIZED
        assert await alice.receive_nothing()


@ON_PUBSUB
async def test_refreshed_socket_outlives_its_first_token():
    first, second = access_token("alice", exp=ends_in(2)), access_token("alice", lifespan=3600)
    async with established(OWN, token=first) as alice:
        assert (await alice.receive())["type"] == "token.expiring"
        await alice.send({"type": "token.refresh", "token": second})
        assert (await alice.receive())["type"] == "token.refreshed"
        assert await alice.receive_nothing(timeout=2.5)
        await alice.send({"type": "ping"})
        assert (await alice.receive())["type"] == "pong"


@ON_PUBSUB
async def test_refresh_may_shorten_too_and_a_refused_one_changes_nothing():
    async with established(OWN, token=access_token("alice", lifespan=3600)) as alice:
        await alice.send({"type": "token.refresh", "token": access_token("bob", exp=ends_in(2))})
        assert (await alice.receive())["code"] == "token_refused"
        await alice.send({"type": "token.refresh", "token": access_token("alice", exp=ends_in(2))})
        kinds = [(await alice.receive())["type"] for _ in range(3)]
        assert kinds == ["token.refreshed", "token.expiring", "connection.closing"]


@ON_PUBSUB
@pytest.mark.parametrize(
    ("lives", "notice_after"), [(1_000, 900), (201, 101), (199, 99.5), (100, 50), (2, 1)]
)
async def test_notice_comes_ahead_by_the_setting_but_in_no_tokens_first_half(
    settings, lives, notice_after
):
    settings.REALTIME_EXPIRY_NOTICE_SECONDS = 100
    expiry = Expiry(Mailbox())
    expiry.schedule(time.time() + lives)
    seconds = expiry.timer.when() - asyncio.get_running_loop().time()
    assert seconds == pytest.approx(notice_after, abs=0.5)
    expiry.cancel()


@ON_PUBSUB
async def test_far_future_and_forgotten_tokens_wake_nobody():
    inbox = Mailbox()
    expiry = Expiry(inbox)
    expiry.schedule(253_402_300_799)
    expiry.cancel()
    expiry.schedule(int(time.time()) - LEEWAY)
    expiry.cancel()
    await asyncio.sleep(0)
    assert not inbox.messages
    assert expiry.timer.cancelled()


@ON_PUBSUB
async def test_clock_that_jumps_ahead_ends_the_tokens_that_it_passes(settings, monkeypatch):
    """Without a query: an unavailable database keeps no socket open."""
    settings.REALTIME_RECHECK_SECONDS = 0.2
    hour, usual = 3_600, time.time
    short, long = [access_token("alice", lifespan=lifespan) for lifespan in (hour, 2 * hour)]
    async with (
        established(OWN, token=short) as alice,
        established(OWN, token=long) as other,
    ):
        monkeypatch.setattr(registry_module, "check", unavailable)
        monkeypatch.setattr(time, "time", lambda: usual() + hour + LEEWAY + 1)
        closing = await alice.receive()
        assert (closing["code"], closing["reason"]) == (4001, "The token has expired.")
        assert await alice.closed() == CloseCode.UNAUTHORIZED
        await other.send({"type": "ping"})
        assert (await other.receive())["type"] == "pong"


async def unavailable(accesses):
    raise OperationalError("no such host")


@ON_PUBSUB
async def test_timer_ends_with_the_socket():
    async with established(OWN, "alice"):
        (consumer,) = registry().everyone()
        assert not consumer.expiry.timer.cancelled()
    assert consumer.expiry.timer.cancelled()
