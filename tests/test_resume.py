"""Where a client goes on, on each layer: after what it has seen, or told that it cannot."""

import pytest
from asgiref.sync import sync_to_async

from api.consumers import broadcast_notification, broadcast_org_event
from api.resume import as_offset
from api.streams import PAGE, prune
from devrealm.people import ORG_ID, PEOPLE
from tests.dialogue import EVENTS, NOTIFICATIONS, established
from tests.test_streams import LONG

pytestmark = pytest.mark.usefixtures("people", "layer")

ALICE = PEOPLE["alice"].subject


@pytest.fixture(autouse=True)
def frequent_look_for_what_the_layer_lost(settings):
    """Over fakeredis the core layer's cancelled reads take messages along, of sockets that left."""
    settings.WEBSOCKET_TAIL_CHECK_SECONDS = 0.5


def resumed(epoch, offset, path=NOTIFICATIONS):
    return established(f"{path}?epoch={epoch}&offset={offset}", "alice")


async def notify(*numbers):
    for number in numbers:
        await broadcast_notification(ALICE, {"n": number})


async def heard(client, count):
    frames = [await client.receive() for _ in range(count)]
    return [(frame["offset"], frame["notification"]["n"]) for frame in frames]


async def test_new_client_starts_at_the_end_and_is_told_where_that_is():
    await notify(1, 2)
    async with established(NOTIFICATIONS, "alice") as alice:
        assert (alice.greeting["offset"], alice.greeting["recovered"]) == (2, None)
        await notify(3)
        assert await heard(alice, 1) == [(3, 3)]


async def test_client_that_comes_back_reads_what_it_missed_and_then_what_comes():
    async with established(NOTIFICATIONS, "alice") as alice:
        epoch = alice.greeting["epoch"]
        await notify(1)
        assert await heard(alice, 1) == [(1, 1)]
    await notify(2, 3)
    async with resumed(epoch, 1) as alice:
        assert (alice.greeting["offset"], alice.greeting["recovered"]) == (1, True)
        assert await heard(alice, 2) == [(2, 2), (3, 3)]
        await notify(4)
        assert await heard(alice, 1) == [(4, 4)]
        assert await alice.receive_nothing()


async def test_client_that_missed_nothing_is_recovered_and_hears_nothing_twice():
    await notify(1)
    async with established(NOTIFICATIONS, "alice") as alice:
        epoch = alice.greeting["epoch"]
    async with resumed(epoch, 1) as alice:
        assert alice.greeting["recovered"] is True
        assert await alice.receive_nothing()


async def test_client_resumes_beside_one_that_stayed():
    async with established(NOTIFICATIONS, "alice") as stayed:
        await notify(1, 2)
        async with resumed(stayed.greeting["epoch"], 0) as back:
            await notify(3)
            assert await heard(back, 3) == [(1, 1), (2, 2), (3, 3)]
        assert await heard(stayed, 3) == [(1, 1), (2, 2), (3, 3)]


async def test_more_than_a_page_is_replayed_in_order():
    async with established(NOTIFICATIONS, "alice") as alice:
        epoch = alice.greeting["epoch"]
    count = 2 * PAGE + 10
    await notify(*range(count))
    async with resumed(epoch, 0) as alice:
        assert await heard(alice, count) == [(n + 1, n) for n in range(count)]


async def test_events_resume_too():
    async with established(EVENTS, "alice") as alice:
        epoch = alice.greeting["epoch"]
    await broadcast_org_event(ORG_ID, "missed", {})
    async with resumed(epoch, 0, EVENTS) as alice:
        frame = await alice.receive()
        assert (frame["event_type"], frame["offset"]) == ("missed", 1)


@pytest.mark.parametrize("offset", [0, 2])
async def test_history_that_was_pruned_is_said_and_not_filled_in_part(offset):
    async with established(NOTIFICATIONS, "alice") as alice:
        epoch = alice.greeting["epoch"]
    await notify(1, 2, 3, 4, 5)
    await sync_to_async(prune)(keep=2, age=LONG)
    async with resumed(epoch, offset) as alice:
        assert (alice.greeting["offset"], alice.greeting["recovered"]) == (5, False)
        assert await alice.receive_nothing()
        await notify(6)
        assert await heard(alice, 1) == [(6, 6)]


@pytest.mark.parametrize(
    ("epoch", "offset"),
    [
        ("elsewhere", 1),
        ("", 1),
        ("{epoch}", 3),
        ("{epoch}", 10**30),
        ("{epoch}", -1),
        ("{epoch}", "x"),
        ("{epoch}", ""),
        ("{epoch}", "%00"),
        ("%00%ff", 1),
    ],
)
async def test_position_that_is_not_ours_is_told_as_not_recovered(epoch, offset):
    await notify(1, 2)
    async with established(NOTIFICATIONS, "alice") as alice:
        epoch = epoch.format(epoch=alice.greeting["epoch"])
    async with resumed(epoch, offset) as alice:
        assert (alice.greeting["offset"], alice.greeting["recovered"]) == (2, False)


@pytest.mark.parametrize("query", ["epoch={epoch}", "offset=0"])
async def test_half_a_position_is_none(query):
    async with established(NOTIFICATIONS, "alice") as alice:
        epoch = alice.greeting["epoch"]
    query = query.format(epoch=epoch)
    async with established(f"{NOTIFICATIONS}?{query}", "alice") as alice:
        assert alice.greeting["recovered"] is False


@pytest.mark.parametrize(
    ("text", "offset"),
    [("0", 0), ("12", 12), ("-1", -1), ("", -1), ("1.5", -1), ("٣", -1), ("²", -1), ("9" * 19, -1)],
)
def test_only_a_number_is_an_offset(text, offset):
    assert as_offset(text) == offset
