"""An open socket ends with its user's access, and the others stay."""

import time

import pytest
from asgiref.sync import sync_to_async

from ..authority.users import end_session, sign_out
from ..models import Identity
from ..protocol.close_codes import CloseCode
from ..senders import broadcast
from ..testing.tokens import access_token
from .project import ALICE, BOB, OF_TEAM, OWN, TEAM, established, members, socket, team_topic

pytestmark = [
    pytest.mark.usefixtures("people", "layer"),
    pytest.mark.parametrize("layer", ["pubsub"], indirect=True),
]


def alice():
    return Identity.objects.get(subject=ALICE).user


def leave_team():
    members.discard(ALICE)
    team_topic.changed(user=alice())


def close_team():
    members.clear()
    team_topic.changed(key=TEAM)


def disable():
    user = alice()
    user.is_active = False
    user.save()


ENDS = {
    "a member leaves": (leave_team, OF_TEAM, CloseCode.FORBIDDEN, True),
    "the team is closed": (close_team, OF_TEAM, CloseCode.FORBIDDEN, False),
    "the user is disabled": (disable, OWN, CloseCode.UNAUTHORIZED, True),
    "the user is deleted": (lambda: alice().delete(), OWN, CloseCode.UNAUTHORIZED, True),
    "the session is signed out": (lambda: end_session("hers"), OWN, CloseCode.UNAUTHORIZED, True),
    "all sessions are": (lambda: sign_out(ALICE, time.time()), OWN, CloseCode.UNAUTHORIZED, True),
}


@pytest.mark.parametrize(("end", "path", "code", "stays"), ENDS.values(), ids=ENDS)
async def test_socket_is_closed_when_its_access_ends(end, path, code, stays):
    async with (
        established(path, token=access_token(ALICE, sid="hers")) as hers,
        established(path, BOB) as bobs,
    ):
        await sync_to_async(end)()
        closing = await hers.receive()
        assert (closing["type"], closing["code"]) == ("connection.closing", code)
        assert await hers.closed() == code
        if stays:
            await bobs.send({"type": "ping"})
            assert (await bobs.receive())["type"] == "pong"
        else:
            assert (await bobs.receive())["code"] == code


async def test_nothing_is_sent_to_a_socket_whose_access_has_ended():
    async with established(OF_TEAM, ALICE) as hers, established(OF_TEAM, BOB) as bobs:
        await sync_to_async(leave_team)()
        assert (await hers.receive())["code"] == await hers.closed() == CloseCode.FORBIDDEN
        await broadcast(team_topic, TEAM, {"type": "event", "event_type": "secret"})
        assert (await bobs.receive())["event_type"] == "secret"
        assert await hers.receive_nothing()


async def test_what_was_not_announced_is_found_by_the_periodic_check(settings):
    settings.REALTIME_RECHECK_SECONDS = 0.2
    async with established(OF_TEAM, ALICE) as hers:
        members.discard(ALICE)
        assert (await hers.receive())["code"] == CloseCode.FORBIDDEN


async def test_token_of_a_session_that_was_signed_out_lets_nobody_in_again():
    await sync_to_async(end_session)("hers")
    async with socket(OWN, token=access_token(ALICE, sid="hers")) as hers:
        closing = await hers.receive()
        assert (closing["code"], closing["reason"]) == (4001, "The session was signed out.")
    async with established(OWN, token=access_token(ALICE, sid="a new one")):
        pass
