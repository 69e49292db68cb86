"""Where a client goes on, on each layer: after what it has seen, or told that it cannot."""

import pytest
from asgiref.sync import sync_to_async

from ..delivery.streams import PAGE, prune
from ..models import PendingEntry
from ..protocol.frames import place_in
from ..senders import broadcast
from .project import OF_TEAM, OWN, TEAM, established, heard, notify, numbered, resumed, team_topic
from .test_streams import LONG

pytestmark = pytest.mark.usefixtures("people", "layer")


@pytest.fixture(autouse=True)
def frequent_look_for_what_the_layer_lost(settings):
    """Over fakeredis the core layer's cancelled reads take messages along, of sockets that left."""
    settings.REALTIME_TAIL_CHECK_SECONDS = 0.5


async def test_new_client_starts_at_the_end_and_is_told_where_that_is():
    await notify(1, 2)
    async with established(OWN, "alice") as alice:
        assert (alice.greeting["offset"], alice.greeting["recovered"]) == (2, None)
        await notify(3)
        assert await heard(alice, 1) == [(3, 3)]


async def test_client_that_comes_back_reads_what_it_missed_and_then_what_comes():
    async with established(OWN, "alice") as alice:
        await notify(1)
        assert await heard(alice, 1) == [(1, 1)]
    await notify(2, 3)
    async with resumed(OWN, "alice", alice.position) as alice:
        assert (alice.greeting["offset"], alice.greeting["recovered"]) == (1, True)
        assert await heard(alice, 2) == [(2, 2), (3, 3)]
        await notify(4)
        assert await heard(alice, 1) == [(4, 4)]
        assert await alice.receive_nothing()


async def test_client_that_missed_nothing_is_recovered_and_hears_nothing_twice():
    await notify(1)
    async with established(OWN, "alice") as alice:
        pass
    async with resumed(OWN, "alice", alice.position) as alice:
        assert alice.greeting["recovered"] is True
        assert await alice.receive_nothing()


async def test_client_resumes_beside_one_that_stayed():
    async with established(OWN, "alice") as stayed:
        await notify(1, 2)
        async with resumed(OWN, "alice", stayed.position) as back:
            await notify(3)
            assert await heard(back, 3) == [(1, 1), (2, 2), (3, 3)]
        assert await heard(stayed, 3) == [(1, 1), (2, 2), (3, 3)]


async def test_more_than_a_page_is_replayed_in_order():
    async with established(OWN, "alice") as alice:
        pass
    count = 2 * PAGE + 10
    await notify(*range(count))
    async with resumed(OWN, "alice", alice.position) as alice:
        assert await heard(alice, count) == [(n + 1, n) for n in range(count)]


async def test_events_resume_too():
    async with established(OF_TEAM, "alice") as alice:
        pass
    await broadcast(team_topic, TEAM, {"type": "event", "event_type": "missed"})
    async with resumed(OF_TEAM, "alice", alice.position) as alice:
        frame = await alice.receive()
        assert (frame["event_type"], frame["offset"]) == ("missed", 1)


@pytest.mark.parametrize("offset", [0, 2])
async def test_history_that_was_pruned_is_said_and_not_filled_in_part(offset):
    async with established(OWN, "alice") as alice:
        await notify(1, 2, 3, 4, 5)
        await heard(alice, offset)
    await sync_to_async(prune)(keep=2, age=LONG)
    async with resumed(OWN, "alice", alice.position) as back:
        assert (back.greeting["offset"], back.greeting["recovered"]) == (5, False)
        assert await back.receive_nothing()
        await notify(6)
        assert await heard(back, 1) == [(6, 6)]


@pytest.mark.parametrize(
    "position",
    ["2.restored", "1.{tag}", "3.{tag}", "-1.{tag}", "2.", ".{tag}", "x.{tag}", "%00", "%ff.%00"]
    + ["{tag}", "", "9" * 30 + ".{tag}"],
)
async def test_position_that_is_not_ours_is_told_as_not_recovered(position):
    await notify(1, 2)
    async with established(OWN, "alice") as alice:
        position = position.format(tag=alice.position.partition(".")[2])
    async with resumed(OWN, "alice", position) as back:
        assert (back.greeting["offset"], back.greeting["recovered"]) == (2, False)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("0.t", (0, "t")),
        ("12.a.b", (12, "a.b")),
        ("-1.t", None),
        (".t", None),
        ("1.5.t", (1, "5.t")),
    ]
    + [("٣.t", None), ("².t", None), ("9" * 19 + ".t", None), ("12", None)],
)
def test_only_a_number_and_a_tag_are_a_position(text, place):
    assert place_in(text) == place


async def test_what_a_dead_sender_left_is_there_for_a_client_that_connects():
    outgoing = numbered(1)
    async with established(OWN, "alice") as alice:
        pass
    await PendingEntry.objects.acreate(stream=outgoing.stream, frame=outgoing.text)
    async with resumed(OWN, "alice", alice.position) as back:
        assert await heard(back, 1) == [(1, 1)]
