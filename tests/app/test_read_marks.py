"""How far a user has read, in every tab, after a reload, and on another device."""

import pytest
from asgiref.sync import sync_to_async
from django.test import AsyncClient

from api.consumers import broadcast_notification
from devrealm.accounts import PEOPLE
from devrealm.issue import access_token
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
            told = {"type": "notifications.read", "offset": 2, "unread": 1}
            assert await socket.receive() == told
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
