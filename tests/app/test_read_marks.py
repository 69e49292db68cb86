"""How far a user has read, in every tab, after a reload, and on another device."""

import threading
from datetime import timedelta

import pytest
from asgiref.sync import sync_to_async
from django.db import OperationalError
from django.test import AsyncClient

from api.consumers import broadcast_notification, broadcast_org_event
from demo.people import ORG_ID
from devrealm.accounts import PEOPLE
from devrealm.issue import access_token
from realtime.delivery.streams import prune
from realtime.models import ReadMark
from realtime.sockets import messages
from tests.app.dialogue import EVENTS, NOTIFICATIONS, established

pytestmark = pytest.mark.usefixtures("people", "layer")

PATH = "/api/me/notifications/"

ALICE = PEOPLE["alice"].subject


async def notify(*numbers):
    for number in numbers:
        await broadcast_notification(ALICE, {"n": number})


def headers(username="alice"):
    return {"Authorization": f"Bearer {access_token(username)}"}


async def listed(username="alice"):
    page = (await AsyncClient().get(PATH, headers=headers(username))).json()
    return page["read"], page["unread"]


async def say(socket, offset):
    await socket.send({"type": "notifications.read", "offset": offset})


def told(offset, unread):
    return {"type": "notifications.read", "offset": offset, "unread": unread}


async def read(offset, username="alice"):
    body = {"content_type": "application/json", "headers": headers(username)}
    answer = await AsyncClient().post(f"{PATH}read/", {"offset": offset}, **body)
    return answer.status_code, answer.json()


async def test_what_was_never_read_is_unread():
    await notify(1, 2, 3)
    assert await listed() == (0, 3)


async def test_mark_tells_every_tab_of_the_user_and_nobody_else():
    await notify(1, 2, 3)
    async with (
        established(NOTIFICATIONS, "alice") as tab,
        established(NOTIFICATIONS, "alice") as other_tab,
        established(NOTIFICATIONS, "bob") as bob,
        established(EVENTS, "alice") as other_stream,
    ):
        assert await read(2) == (200, {"read": 2, "unread": 1})
        for socket in (tab, other_tab):
            assert await socket.receive() == told(2, 1)
        assert await bob.receive_nothing()
        assert await other_stream.receive_nothing()
    assert await listed() == (2, 1)


async def test_mark_never_moves_back_and_then_tells_nobody():
    await notify(1, 2, 3)
    await read(3)
    async with established(NOTIFICATIONS, "alice") as alice:
        assert await read(1) == (200, {"read": 3, "unread": 0})
        assert await alice.receive_nothing()


async def test_mark_stays_within_the_stream():
    await notify(1)
    assert await read(10**30) == (200, {"read": 1, "unread": 0})
    await notify(2)
    assert await listed() == (1, 1)


async def test_frame_comes_between_entries_and_takes_no_offset():
    async with established(NOTIFICATIONS, "alice") as alice:
        await notify(1)
        await read(1)
        await notify(2)
        frames = [await alice.receive() for _ in range(3)]
        assert [frame["offset"] for frame in frames if "position" in frame] == [1, 2]
        assert sum(frame["type"] == "notifications.read" for frame in frames) == 1


@pytest.mark.parametrize("offset", [None, "1", 1.5, -1, True, [1]])
async def test_mark_that_is_no_offset_is_refused(offset):
    status, answer = await read(offset)
    assert (status, answer["error"]) == (400, "bad_request")


async def test_body_that_is_no_json_is_refused():
    body = {"content_type": "application/json", "headers": headers()}
    answer = await AsyncClient().post(f"{PATH}read/", "{", **body)
    assert (answer.status_code, answer.json()["error"]) == (400, "bad_request")


async def test_mark_in_a_transaction_is_told_at_its_commit():
    from django.contrib.auth import get_user_model
    from django.db import transaction

    from api.topics import user_topic
    from realtime.delivery.read_marks import mark_read
    from realtime.http.history import position_of

    await notify(1)
    stream = user_topic.stream(ALICE)
    user = await get_user_model().objects.aget(token_identities__subject=ALICE)

    def undo():
        with transaction.atomic():
            mark_read(stream, position_of(stream), user, 1)
            transaction.set_rollback(True)

    async with established(NOTIFICATIONS, "alice") as alice:
        await sync_to_async(undo)()
        assert await alice.receive_nothing()
    assert await listed() == (0, 1)


async def test_socket_that_asks_is_answered_and_nobody_else():
    await notify(1, 2, 3)
    await read(2)
    async with (
        established(NOTIFICATIONS, "alice") as tab,
        established(NOTIFICATIONS, "alice") as other_tab,
    ):
        await say(tab, 0)
        assert await tab.receive() == told(2, 1)
        assert await other_tab.receive_nothing()


async def test_socket_moves_the_mark_for_every_tab():
    await notify(1, 2, 3)
    async with (
        established(NOTIFICATIONS, "alice") as tab,
        established(NOTIFICATIONS, "alice") as other_tab,
        established(NOTIFICATIONS, "bob") as bob,
    ):
        await say(tab, 2)
        assert await tab.receive() == told(2, 1)
        assert await other_tab.receive() == told(2, 1)
        assert await bob.receive_nothing()
        await say(other_tab, 1)
        assert await other_tab.receive() == told(2, 1)
    assert await listed() == (2, 1)


async def test_socket_marks_no_entry_that_is_still_to_come():
    async with established(NOTIFICATIONS, "alice") as alice:
        await say(alice, 2**53 - 1)
        assert await alice.receive() == told(0, 0)
        await notify(1)
        await alice.receive()
        await say(alice, 0)
        assert await alice.receive() == told(0, 1)


async def test_each_stream_has_its_own_mark():
    await notify(1)
    async with established(EVENTS, "alice") as alice:
        await broadcast_org_event(ORG_ID, "joined", {})
        await alice.receive()
        await say(alice, 1)
        assert await alice.receive() == told(1, 0)
    assert await listed() == (0, 1)


@pytest.mark.parametrize("offset", [None, "1", 1.5, -1, True, [1]])
async def test_socket_that_names_no_offset_gets_an_error(offset):
    async with established(NOTIFICATIONS, "alice") as alice:
        await say(alice, offset)
        assert (await alice.receive())["code"] == "malformed"


async def test_socket_whose_mark_cannot_be_kept_is_told_so(monkeypatch):
    def away(*args):
        raise OperationalError("The database is away.")

    async with established(NOTIFICATIONS, "alice") as alice:
        with monkeypatch.context() as patch:
            patch.setattr(messages, "mark_read", away)
            await say(alice, 0)
            assert (await alice.receive())["code"] == "unavailable"
        await say(alice, 0)
        assert await alice.receive() == told(0, 0)


async def test_socket_whose_mark_takes_too_long_is_told_so(settings, monkeypatch):
    answer = threading.Event()
    monkeypatch.setattr(messages, "mark_read", lambda *args: answer.wait())
    async with established(NOTIFICATIONS, "alice") as alice:
        settings.REALTIME_CONNECT_SECONDS = 0.1
        await say(alice, 0)
        assert (await alice.receive())["code"] == "unavailable"
        answer.set()


async def test_what_is_no_longer_kept_counts_as_read():
    await notify(1, 2, 3, 4)
    await sync_to_async(prune)(keep=2, age=timedelta(days=1))
    assert await listed() == (2, 2)
    assert await read(1) == (200, {"read": 2, "unread": 2})
    await sync_to_async(prune)(keep=0, age=timedelta(days=1))
    assert await listed() == (4, 0)


async def test_asking_leaves_no_row():
    await notify(1)
    async with established(NOTIFICATIONS, "alice") as alice:
        await say(alice, 0)
        assert await alice.receive() == told(0, 1)
    assert not await ReadMark.objects.aexists()
