"""Sockets that ask for what was sent before, on each layer."""

import pytest

from api.consumers import broadcast_notification
from devrealm.accounts import PEOPLE
from tests.app.dialogue import NOTIFICATIONS, established, resumed

pytestmark = pytest.mark.usefixtures("people", "layer")

ALICE = PEOPLE["alice"].subject


async def notify(*numbers):
    for number in numbers:
        await broadcast_notification(ALICE, {"n": number})


def numbers_of(frames):
    return [frame["notification"]["n"] for frame in frames]


@pytest.mark.parametrize(
    ("since", "first"), [("start", 1), ("2", 4), ("5", 1), ("99999999999", 1), ("1", 5)]
)
async def test_socket_asks_for_history_and_gets_it_before_what_comes(since, first):
    await notify(1, 2, 3, 4, 5)
    async with established(f"{NOTIFICATIONS}?since={since}", "alice") as alice:
        assert (alice.greeting["offset"], alice.greeting["recovered"]) == (first - 1, None)
        await notify(6)
        frames = [await alice.receive() for _ in range(first, 7)]
        assert numbers_of(frames) == [*range(first, 7)]
        assert await alice.receive_nothing()


@pytest.mark.parametrize("since", ["", "0", "-1", "1.5", "all", "٣", "9" * 30])
async def test_what_is_no_history_to_ask_for_begins_now(since):
    await notify(1, 2)
    async with established(f"{NOTIFICATIONS}?since={since}", "alice") as alice:
        assert alice.greeting["offset"] == 2
        assert await alice.receive_nothing()


async def test_history_of_a_stream_that_nothing_was_sent_to_is_empty():
    async with established(f"{NOTIFICATIONS}?since=start", "alice") as alice:
        assert alice.greeting["offset"] == 0
        await notify(1)
        assert numbers_of([await alice.receive()]) == [1]


async def test_greeting_of_a_history_names_a_place_to_resume_from():
    await notify(1, 2, 3)
    async with established(f"{NOTIFICATIONS}?since=2", "alice") as alice:
        place = alice.greeting["position"]
    async with resumed(NOTIFICATIONS, "alice", place) as alice:
        assert alice.greeting["recovered"] is True
        assert numbers_of([await alice.receive() for _ in "23"]) == [2, 3]
