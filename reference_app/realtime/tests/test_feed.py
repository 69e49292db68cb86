"""What a layer loses, doubles or disorders; each said of a real socket, without a server."""

import asyncio
import itertools
import json
import threading

import pytest
from asgiref.sync import SyncToAsync, sync_to_async
from django.db import OperationalError

from .. import senders
from ..delivery import feed as feed_module
from ..delivery import hub as hub_module
from ..delivery.hub import hub
from ..delivery.streams import Place, messages_of, prune
from ..layer import publish as publish_module
from ..layer import subscribe as subscribe_module
from ..models import Entry, Stream
from ..protocol.close_codes import CloseCode
from ..testing.patience import eventually
from .entries import append
from .project import ALICE, OWN, established, heard, notify, own_topic, resumed
from .test_streams import LONG

pytestmark = pytest.mark.usefixtures("people", "layer")

ON_PUBSUB = pytest.mark.parametrize("layer", ["pubsub"], indirect=True)
STREAM = own_topic.stream(ALICE)


@pytest.fixture
def lossy(monkeypatch):
    """Return a set of offsets whose messages the layer loses."""
    lost, send = set(), publish_module._send

    async def lose(messages):
        await send([each for each in messages if each[1].get("offset") not in lost])

    monkeypatch.setattr(publish_module, "_send", lose)
    return lost


@pytest.fixture
def reads(monkeypatch):
    """Return a list of the offsets after which a page was read."""
    asked, read_after = [], feed_module.read_after

    async def note(stream, stream_id, offset):
        asked.append(offset)
        return await read_after(stream, stream_id, offset)

    monkeypatch.setattr(feed_module, "read_after", note)
    return asked


def pause_after(sends, monkeypatch):
    """Have feeds let other tasks run after so many sends from now, and then at intervals.

    They count the sends of the whole process, so the tests before would decide when it happens.
    """
    count = feed_module.SENDS_BEFORE_YIELD - sends + 1
    monkeypatch.setattr(feed_module.Feed, "sends", itertools.count(count))


async def entry(number):
    """Return the message of a new row that nobody has sent."""
    frame = {"type": "notification", "n": number}
    ((_, message),) = messages_of([await sync_to_async(append)(STREAM, frame)])
    return message


async def test_gap_is_read_from_the_rows_when_the_next_frame_shows_it(lossy):
    lossy.update({2, 3})
    async with established(OWN, "alice") as alice:
        await notify(1, 2, 3, 4)
        assert await heard(alice, 4) == [(1, 1), (2, 2), (3, 3), (4, 4)]


async def test_lost_last_frame_is_found_by_the_check_of_tails(settings, lossy):
    settings.REALTIME_TAIL_CHECK_SECONDS = 0.2
    lossy.add(2)
    async with established(OWN, "alice") as alice:
        await notify(1, 2)
        assert await heard(alice, 2) == [(1, 1), (2, 2)]


@ON_PUBSUB
async def test_group_that_redis_forgot_is_joined_again_when_the_check_finds_a_loss(settings, layer):
    settings.REALTIME_TAIL_CHECK_SECONDS = 0.2
    async with established(OWN, "alice") as alice:
        await layer.group_discard(STREAM, hub().subscriber.channel)
        await notify(1)
        assert await heard(alice, 1) == [(1, 1)]
        await eventually(lambda: any(group.endswith(STREAM) for group in layer.groups))


@ON_PUBSUB
async def test_tails_are_checked_at_once_when_the_layer_was_away(monkeypatch, settings, layer):
    settings.REALTIME_TAIL_CHECK_SECONDS = 60
    monkeypatch.setattr(subscribe_module, "RETRY", 0.1)
    receive, dies = layer.receive, asyncio.Event()

    async def die(channel):
        if channel == hub().subscriber.channel and not dies.is_set():
            await dies.wait()
            raise ConnectionResetError("Redis died")
        return await receive(channel)

    monkeypatch.setattr(layer, "receive", die, raising=False)
    async with established(OWN, "alice") as alice:
        await entry(1)
        dies.set()
        assert await heard(alice, 1) == [(1, 1)]


@ON_PUBSUB
async def test_gap_is_read_once_for_all_sockets_of_the_process(lossy, reads, monkeypatch):
    pause_after(feed_module.SENDS_BEFORE_YIELD, monkeypatch)
    assert await read_by_three_sockets(lossy, reads) == [0]


@ON_PUBSUB
@pytest.mark.parametrize("sends", range(1, 7))
async def test_pause_between_two_sends_costs_a_query_at_most(lossy, reads, monkeypatch, sends):
    pause_after(sends, monkeypatch)
    assert await read_by_three_sockets(lossy, reads) in ([0], [0, 1])


async def read_by_three_sockets(lossy, reads):
    """Return after which offsets rows were read, for a gap before the second of two frames."""
    lossy.add(1)
    async with (
        established(OWN, "alice") as one,
        established(OWN, "alice") as two,
        established(OWN, "alice") as three,
    ):
        await notify(1, 2)
        for client in (one, two, three):
            assert await heard(client, 2) == [(1, 1), (2, 2)]
    return reads


@ON_PUBSUB
async def test_slow_query_elsewhere_does_not_put_off_a_gap(lossy):
    done = threading.Event()
    lossy.add(1)
    async with established(OWN, "alice") as alice:
        await entry(1)
        late = await entry(2)
        slow = asyncio.create_task(sync_to_async(done.wait)())
        try:
            await hub().on_message(late)
            assert await heard(alice, 2) == [(1, 1), (2, 2)]
        finally:
            done.set()
            await slow


@ON_PUBSUB
async def test_sockets_that_resume_from_one_place_share_a_query(reads):
    async with established(OWN, "alice") as stayed:
        await notify(1, 2)
        cursors = [cursor for cursor in hub().feeds[STREAM].cursors]
        feed = cursors[0].feed
        beginning = Place(0, stayed.greeting["position"].partition(".")[2])
        pages = await asyncio.gather(*(feed.read_after(beginning) for _ in range(5)))
        assert all(page == pages[0] for page in pages) and len(pages[0]) == 2
        await heard(stayed, 2)
    assert reads == [0]


@ON_PUBSUB
async def test_frames_in_the_wrong_order_are_put_right_without_a_query(monkeypatch, reads):
    monkeypatch.setattr(feed_module, "REORDER_WINDOW", 5)
    async with established(OWN, "alice") as alice:
        messages = [await entry(number) for number in (1, 2, 3)]
        for index in (2, 0, 1):
            await hub().on_message(messages[index])
        assert await heard(alice, 3) == [(1, 1), (2, 2), (3, 3)]
    assert reads == []


@ON_PUBSUB
async def test_more_early_frames_than_are_kept_come_from_the_rows(monkeypatch):
    monkeypatch.setattr(feed_module, "REORDER_BUFFER", 2)
    async with established(OWN, "alice") as alice:
        messages = [await entry(number) for number in range(1, 7)]
        for message in messages[1:]:
            await hub().on_message(message)
        assert len(hub().feeds[STREAM].early) == 2
        assert [offset for offset, _ in await heard(alice, 6)] == [1, 2, 3, 4, 5, 6]
        assert hub().feeds[STREAM].early == {}


@ON_PUBSUB
async def test_group_is_joined_before_the_position_is_read(monkeypatch, layer):
    """So what is sent in between is heard, or in the rows that are read."""
    order, join, position = [], layer.group_add, hub_module.position

    async def note_join(group, channel):
        await join(group, channel)
        order.append(group)

    async def note_position(name):
        order.append("read")
        return await position(name)

    monkeypatch.setattr(layer, "group_add", note_join, raising=False)
    monkeypatch.setattr(hub_module, "position", note_position)
    async with established(OWN, "alice"):
        assert order.index(STREAM) < order.index("read")


@ON_PUBSUB
async def test_frame_that_is_heard_while_the_position_is_read_is_not_lost(monkeypatch, settings):
    settings.REALTIME_TAIL_CHECK_SECONDS = 60
    position = hub_module.position

    async def position_before_it_is_written(name):
        place = await position(name)
        await notify(1)
        await eventually(lambda: hub().feeds[STREAM].early)
        return place

    monkeypatch.setattr(hub_module, "position", position_before_it_is_written)
    async with established(OWN, "alice") as alice:
        assert alice.greeting["offset"] == 0
        assert await heard(alice, 1) == [(1, 1)]


@ON_PUBSUB
async def test_frame_above_the_limit_that_another_process_sends_is_omitted(settings):
    """Such as one of a release with a higher limit."""
    large = await entry("é" * 400)
    await entry(2)
    settings.REALTIME_MAX_FRAME_BYTES = 500
    async with resumed(OWN, "alice", "0." + large["previous"]) as alice:
        omitted = await alice.receive()
        assert (omitted["type"], omitted["offset"]) == ("entry.omitted", 1)
        assert omitted["size"] == len(large["text"].encode())
        assert await heard(alice, 1) == [(2, 2)]
        late = await entry_above_the_limit(settings)
        await hub().on_message(late)
        omitted = await alice.receive()
        assert (omitted["type"], omitted["position"]) == ("entry.omitted", f"3.{late['tag']}")


async def entry_above_the_limit(settings):
    usual, settings.REALTIME_MAX_FRAME_BYTES = settings.REALTIME_MAX_FRAME_BYTES, 65_536
    message = await entry("x" * 1_000)
    settings.REALTIME_MAX_FRAME_BYTES = usual
    return message


@ON_PUBSUB
async def test_frames_that_come_at_once_go_out_one_after_the_other(monkeypatch, reads):
    """Though the first is still on its way to the second socket when the next comes."""
    monkeypatch.setattr(feed_module, "SENDS_BEFORE_YIELD", 1)
    async with (
        established(OWN, "alice") as one,
        established(OWN, "alice") as two,
    ):
        messages = [await entry(number) for number in (1, 2, 3)]
        await asyncio.gather(*(hub().on_message(message) for message in messages))
        for client in (one, two):
            assert await heard(client, 3) == [(1, 1), (2, 2), (3, 3)]
    assert reads == []


@ON_PUBSUB
async def test_frame_that_comes_twice_is_delivered_once():
    async with established(OWN, "alice") as alice:
        message = await entry(1)
        await hub().on_message(message)
        await hub().on_message(message)
        assert await heard(alice, 1) == [(1, 1)]
        assert await alice.receive_nothing()


@ON_PUBSUB
async def test_frame_that_follows_another_history_closes_the_socket_and_is_not_delivered():
    async with established(OWN, "alice") as alice:
        await hub().on_message(await entry(1) | {"previous": "another"})
        assert (await alice.receive())["code"] == CloseCode.UNAVAILABLE


def go_back(offset: int):
    """Let the stream be as it was at an offset, as after a restored backup."""
    stream = Stream.objects.get(name=STREAM)
    kept = Entry.objects.get(stream=stream, offset=offset)
    Entry.objects.filter(stream=stream, offset__gt=offset).delete()
    Stream.objects.filter(name=STREAM).update(head=offset, tag=kept.tag, previous=kept.previous)


@ON_PUBSUB
@pytest.mark.parametrize("later", [0, 1, 2, 3], ids=lambda later: f"{later} frames later")
async def test_database_that_went_back_to_an_earlier_state_is_noticed(settings, later):
    """The periodic check finds it, or the first frame at an offset that was seen before."""
    settings.REALTIME_TAIL_CHECK_SECONDS = 60 if later else 0.2
    async with established(OWN, "alice") as alice:
        await notify(1, 2, 3)
        await heard(alice, 3)
        await sync_to_async(go_back)(1)
        await notify(*range(10, 10 + later))
        assert (await alice.receive())["code"] == CloseCode.UNAVAILABLE
        async with resumed(OWN, "alice", alice.position) as back:
            assert (back.greeting["offset"], back.greeting["recovered"]) == (1 + later, False)
            await notify(20)
            assert await heard(back, 1) == [(2 + later, 20)]


@ON_PUBSUB
async def test_stream_that_begins_anew_closes_its_sockets_and_says_so(settings):
    settings.REALTIME_TAIL_CHECK_SECONDS = 0.2
    async with established(OWN, "alice") as alice:
        await notify(1)
        await heard(alice, 1)
        await Stream.objects.all().adelete()
        assert (await alice.receive())["code"] == CloseCode.UNAVAILABLE
        async with resumed(OWN, "alice", alice.position) as back:
            assert (back.greeting["offset"], back.greeting["recovered"]) == (0, False)
            await notify(2)
            assert await heard(back, 1) == [(1, 2)]


@ON_PUBSUB
@pytest.mark.parametrize("keep", [0, 1])
async def test_gap_that_was_pruned_closes_the_socket_and_is_never_filled_in_part(lossy, keep):
    lossy.update({1, 2})
    async with established(OWN, "alice") as alice:
        await notify(1, 2)
        late = await entry(3)
        await sync_to_async(prune)(keep, age=LONG)
        await hub().on_message(late)
        closing = await alice.receive()
        assert (closing["code"], closing["reconnect"]) == (CloseCode.UNAVAILABLE, True)
        async with resumed(OWN, "alice", alice.position) as back:
            assert (back.greeting["offset"], back.greeting["recovered"]) == (3, False)


@ON_PUBSUB
async def test_database_that_is_away_is_asked_again(monkeypatch, lossy, caplog):
    monkeypatch.setattr(feed_module, "RETRY", 0.05)
    read_after, failures = feed_module.read_after, []

    async def fail_once(*args):
        if not failures:
            failures.append(args)
            raise OperationalError("no such host")
        return await read_after(*args)

    monkeypatch.setattr(feed_module, "read_after", fail_once)
    lossy.add(1)
    async with established(OWN, "alice") as alice:
        await notify(1, 2)
        assert await heard(alice, 2) == [(1, 1), (2, 2)]
    assert (
        "Stream could not be read, and is tried again: OperationalError('no such host')"
        in caplog.text
    )


@ON_PUBSUB
async def test_tails_that_cannot_be_checked_are_checked_again(monkeypatch, settings, lossy, caplog):
    settings.REALTIME_TAIL_CHECK_SECONDS = 0.1
    positions, failures = hub_module.positions, []

    async def fail_once(names):
        if not failures:
            failures.append(names)
            raise OperationalError("no such host")
        return await positions(names)

    monkeypatch.setattr(hub_module, "positions", fail_once)
    lossy.add(1)
    async with established(OWN, "alice") as alice:
        await notify(1)
        assert await heard(alice, 1) == [(1, 1)]
    assert "check failed, and is tried again: OperationalError('no such host')" in caplog.text


@ON_PUBSUB
async def test_delivery_costs_no_thread_and_no_json_for_each_socket(monkeypatch):
    async def cost(sockets):
        counts = {"threads": 0, "encodings": 0}
        call, encode = SyncToAsync.__call__, senders.encode_entry

        def counting_call(self, *args, **kwargs):
            counts["threads"] += 1
            return call(self, *args, **kwargs)

        def counting_encode(frame):
            counts["encodings"] += 1
            return encode(frame)

        with monkeypatch.context() as patch:
            patch.setattr(SyncToAsync, "__call__", counting_call)
            patch.setattr(senders, "encode_entry", counting_encode)
            await notify(1)
            for socket in sockets:
                json.loads((await socket.receive_output(timeout=5))["text"])
        return counts

    async with established(OWN, "alice") as one:
        for_one = await cost([one])
        async with (
            established(OWN, "alice") as two,
            established(OWN, "alice") as three,
        ):
            assert await cost([one, two, three]) == for_one
    assert for_one["encodings"] == 1
