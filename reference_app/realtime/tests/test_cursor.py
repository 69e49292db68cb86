"""A socket that does not read: nothing is held for it, nobody waits for it, and it can resume."""

import asyncio
import weakref

import pytest
import pytest_asyncio
from asgiref.sync import sync_to_async

from ..delivery import feed as feed_module
from ..delivery.cursor import CANNOT_SEND, HISTORY_GONE, MOST_WAITING, TOO_SLOW, Cursor
from ..delivery.feed import Feed
from ..delivery.hub import hub
from ..delivery.streams import PAGE, Place, position, prune
from ..delivery.writer import Writer
from ..protocol.close_codes import CloseCode
from ..protocol.frames import parse
from ..testing.patience import eventually
from .entries import append
from .project import ALICE, BOB, OWN, established, heard, notify, own_topic, resumed
from .test_feed import ON_PUBSUB
from .test_streams import LONG

pytestmark = pytest.mark.usefixtures("people", "layer")


class Reader:
    """A socket that reads when it is let."""

    user_id = "reader"

    def __init__(self):
        self.reads, self.received, self.ended = asyncio.Event(), [], []
        self.is_closing = False
        self.cursor = Cursor(self, Writer(self.send))
        # As a server's own, which is begun at once.
        self.cursor.writer.is_known = True

    async def send(self, event):
        await self.reads.wait()
        self.received.append(event["text"])

    def end(self, refusal):
        self.is_closing = True
        self.ended.append(refusal)
        self.cursor.stop()


@pytest_asyncio.fixture
async def feed():
    """A feed of an empty stream, opened."""
    feed = Feed("quiet")
    feed.open(await sync_to_async(position)("quiet"))
    yield feed
    feed.close()


async def write(feed, count, hear=True):
    """Append, and have the feed hear of it; return the texts."""
    entries = [await sync_to_async(append)(feed.name, {"n": n}) for n in range(count)]
    for each in entries:
        if hear:
            await feed.accept(each)
    return [each.text for each in entries]


def follow(feed, place=None):
    reader = Reader()
    reader.cursor.feed = feed
    feed.cursors.add(reader.cursor)
    reader.cursor.follow(place or feed.place)
    return reader


@ON_PUBSUB
async def test_socket_that_does_not_read_delays_nobody_and_catches_up(feed):
    stalled, other = follow(feed), follow(feed)
    other.reads.set()
    texts = await write(feed, 2 * PAGE)
    assert (stalled.received, other.received) == ([], texts)
    stalled.reads.set()
    await eventually(lambda: len(stalled.received) == len(texts))
    assert stalled.received == texts
    assert await write(feed, 1) == stalled.received[len(texts) :]


@ON_PUBSUB
@pytest.mark.parametrize(("count", "ended"), [(11, []), (12, [TOO_SLOW])])
async def test_socket_may_miss_as_many_frames_as_allowed_and_not_one_more(
    settings, feed, count, ended
):
    """One frame is on its way; the ten that come meanwhile are allowed."""
    settings.REALTIME_MAX_BEHIND = 10
    reader = follow(feed)
    await write(feed, count)
    assert reader.ended == ended


@ON_PUBSUB
async def test_what_is_missed_is_counted_anew_once_the_socket_has_caught_up(settings, feed):
    settings.REALTIME_MAX_BEHIND = 10
    reader = follow(feed)
    for _ in range(3):
        reader.reads.clear()
        await write(feed, 8)
        reader.reads.set()
        await eventually(lambda: reader.cursor.task is None)
    assert (len(reader.received), reader.ended) == (24, [])


@ON_PUBSUB
async def test_nothing_is_sent_after_the_end_not_even_what_had_begun(feed):
    reader = follow(feed)
    await write(feed, 2)
    reader.end(TOO_SLOW)
    reader.reads.set()
    await asyncio.wait([reader.cursor.task])
    await write(feed, 1)
    assert reader.received == []


@ON_PUBSUB
async def test_socket_whose_history_was_pruned_while_it_did_not_read_is_told(feed):
    reader = follow(feed)
    await write(feed, MOST_WAITING + 5)
    await sync_to_async(prune)(keep=1, age=LONG)
    reader.reads.set()
    await eventually(lambda: reader.ended)
    assert reader.ended == [HISTORY_GONE]
    # The one that was on its way, and those that were held.
    assert len(reader.received) == 1 + MOST_WAITING


class Text(str):
    """A text that can be referred to weakly."""


@pytest.fixture
def rows(monkeypatch):
    """Return a list of weak references to each frame that was read from the rows."""
    read, read_after = [], feed_module.read_after

    async def note(*args):
        page = [entry._replace(text=Text(entry.text)) for entry in await read_after(*args)]
        read.extend(weakref.ref(entry.text) for entry in page)
        return page

    monkeypatch.setattr(feed_module, "read_after", note)
    return read


def held(rows) -> list[str]:
    return [text for row in rows if (text := row()) is not None]


@ON_PUBSUB
async def test_of_a_page_only_the_frame_in_sending_is_held_for_sockets_that_do_not_read(feed, rows):
    beginning = feed.place
    texts = await write(feed, 5)
    readers = [follow(feed, beginning) for _ in range(3)]
    await eventually(lambda: rows and held(rows) == texts[:1])
    for reader in readers:
        reader.reads.set()
    await eventually(lambda: all(reader.received == texts for reader in readers))


@ON_PUBSUB
async def test_page_is_held_for_a_moment_only_where_any_send_may_have_to_wait(feed, rows):
    """A server that is not known does not tell which."""
    beginning = feed.place
    texts = await write(feed, 5)
    reader = follow(feed, beginning)
    reader.cursor.writer.is_known = False
    await eventually(lambda: held(rows) == texts)
    await eventually(lambda: held(rows) == texts[:1])
    reader.reads.set()
    await eventually(lambda: reader.received == texts)


@ON_PUBSUB
async def test_page_is_read_once_for_a_client_of_another_server_that_reads(feed, rows):
    beginning = feed.place
    texts = await write(feed, 50)
    reader = follow(feed, beginning)
    reader.cursor.writer.is_known = False
    reader.reads.set()
    await eventually(lambda: reader.received == texts)
    assert len(rows) == 50


@ON_PUBSUB
async def test_no_more_pages_are_read_at_once_than_allowed(monkeypatch):
    running, most = 0, 0

    async def note(*args):
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0)
        running -= 1
        return []

    monkeypatch.setattr(feed_module, "read_after", note)
    feeds = [Feed(f"feed {number}") for number in range(3 * feed_module.READS_AT_ONCE)]
    reads = [each.read_after(Place(0, "")) for each in feeds]
    await asyncio.gather(*reads, return_exceptions=True)
    assert most == feed_module.READS_AT_ONCE


@pytest.fixture
def history_allowed(settings):
    """Return a function that sets how many bytes of history a user may be sent."""

    def allow(count):
        settings.REALTIME_RESUMED_BYTES_PER_MINUTE = count

    return allow


@ON_PUBSUB
async def test_user_is_sent_so_much_history_by_all_sockets_and_no_byte_more(feed, history_allowed):
    beginning = feed.place
    texts = await write(feed, 10)
    history_allowed(sum(map(len, texts)) + len(texts[0]))
    first, other = follow(feed, beginning), follow(feed)
    first.reads.set()
    await eventually(lambda: first.received == texts)
    second, stranger = follow(feed, beginning), follow(feed, beginning)
    stranger.user_id = "stranger"
    for reader in (second, stranger):
        reader.reads.set()
    await eventually(lambda: second.ended and stranger.received == texts)
    assert second.received == texts[:1]
    (refusal,) = second.ended
    assert (refusal.code, refusal.retry_after_ms) == (CloseCode.RATE_LIMITED, 30_000)
    # What comes now is no history.
    other.reads.set()
    new = await write(feed, 1)
    assert (first.received[-1:], first.ended, other.received) == (new, [], new)


@ON_PUBSUB
async def test_what_a_socket_misses_while_it_is_open_is_no_history(feed, history_allowed):
    history_allowed(1)
    reader = follow(feed)
    texts = await write(feed, MOST_WAITING + PAGE)
    reader.reads.set()
    await eventually(lambda: reader.received == texts)
    assert reader.ended == []


@ON_PUBSUB
async def test_frame_that_is_larger_than_the_allowance_is_sent_all_the_same(feed, history_allowed):
    """A client that came back for it would never get on."""
    history_allowed(1)
    beginning = feed.place
    texts = await write(feed, 2)
    reader = follow(feed, beginning)
    reader.reads.set()
    await eventually(lambda: reader.ended)
    assert reader.received == texts[:1]


WHEN = pytest.mark.parametrize("when", ["at once", "later"])


def failing(feed, when, error, fails=lambda event: True):
    """Return a follower of a feed whose server cannot send some frames, and the frames it can."""
    reader = Reader()

    async def send(event):
        if fails(event):
            if when == "later":
                await asyncio.sleep(0)
            raise error
        reader.received.append(event["text"])

    reader.cursor.writer.asgi_send = send
    reader.cursor.feed = feed
    feed.cursors.add(reader.cursor)
    reader.cursor.follow(feed.place)
    return reader


@ON_PUBSUB
@WHEN
async def test_client_that_is_gone_is_left_to_the_server(feed, when, caplog):
    reader = failing(feed, when, OSError("gone"))
    other = follow(feed)
    other.reads.set()
    texts = await write(feed, 3)
    await eventually(lambda: not reader.cursor.follows)
    assert (other.received, reader.ended) == (texts, [])
    assert not caplog.records


@ON_PUBSUB
@WHEN
async def test_frame_that_the_server_cannot_send_is_omitted_and_the_rest_comes(feed, when, caplog):
    reader = failing(feed, when, ValueError("too large"), lambda event: '"n": 1' in event["text"])
    texts = await write(feed, 4)
    await eventually(lambda: len(reader.received) == 4)
    omitted = parse(reader.received[1])
    assert (omitted["type"], omitted["offset"]) == ("entry.omitted", 2)
    assert (omitted["size"], omitted["position"]) == (len(texts[1]), parse(texts[1])["position"])
    assert reader.received[:1] + reader.received[2:] == texts[:1] + texts[2:]
    assert reader.ended == []
    assert "Entry 2 of quiet could not be sent: ValueError('too large')" in caplog.text


@ON_PUBSUB
@WHEN
async def test_socket_that_cannot_be_sent_to_is_closed_with_a_code(feed, when, caplog):
    reader = failing(feed, when, ValueError("broken"))
    await write(feed, 2)
    await eventually(lambda: reader.ended)
    assert reader.ended == [CANNOT_SEND]
    assert "closed, because it cannot be sent what follows offset" in caplog.text
    assert [record.levelname for record in caplog.records] == ["ERROR", "ERROR"]


@ON_PUBSUB
@pytest.mark.parametrize("count", [3, MOST_WAITING + PAGE])
async def test_what_another_server_returns_is_awaited_in_a_task_and_in_order(feed, count):
    """ASGI promises an awaitable, which may ask for the task that it runs in."""
    reader = Reader()

    async def send(event):
        async with asyncio.timeout(5):
            await asyncio.sleep(0)
            reader.received.append(event["text"])

    reader.cursor = Cursor(reader, Writer(lambda event: asyncio.ensure_future(send(event))))
    reader.cursor.feed = feed
    feed.cursors.add(reader.cursor)
    reader.cursor.follow(feed.place)
    texts = await write(feed, count)
    await eventually(lambda: len(reader.received) == count)
    assert (reader.received, reader.ended) == (texts, [])


@ON_PUBSUB
async def test_socket_that_was_too_slow_reads_4108_and_resumes(settings):
    settings.REALTIME_MAX_BEHIND = 3
    async with established(OWN, "alice") as alice:
        beginning = alice.position
        (cursor,) = hub().feeds[own_topic.stream(ALICE)].cursors
        cursor.writer.back_pressure.pauseProducing()
        await notify(*range(6))
        closing = await alice.receive()
        assert (closing["code"], closing["reconnect"]) == (CloseCode.TOO_SLOW, True)
        assert await alice.closed() == CloseCode.TOO_SLOW
        async with resumed(OWN, "alice", beginning) as back:
            assert await heard(back, 6) == [(n + 1, n) for n in range(6)]


@ON_PUBSUB
async def test_one_hub_joins_a_group_once_and_leaves_it_with_the_last_socket(layer, monkeypatch):
    calls = []

    def noting(name, method):
        async def call(group, channel):
            calls.append((name, group))
            await method(group, channel)

        return call

    for name in ("group_add", "group_discard"):
        monkeypatch.setattr(layer, name, noting(name, getattr(layer, name)), raising=False)
    bob = own_topic.stream(BOB)
    async with established(OWN, "alice"):
        async with established(OWN, "bob"), established(OWN, "bob"):
            pass
        assert [name for name, group in calls if group == bob] == ["group_add", "group_discard"]
        assert set(hub().feeds) == {own_topic.stream(ALICE)}
    assert (hub().feeds, hub().subscriber) == ({}, None)


@ON_PUBSUB
async def test_stranger_to_a_frame_that_is_early_follows_from_where_it_is(feed):
    """Who joins while a frame is missing is sent that frame, and what comes after it, once."""
    first = follow(feed)
    first.reads.set()
    entries = [await sync_to_async(append)(feed.name, {"n": n}) for n in (1, 2)]
    await feed.accept(entries[1])
    second = follow(feed)
    second.reads.set()
    await feed.accept(entries[0])
    assert first.received == second.received == [entry.text for entry in entries]


@ON_PUBSUB
async def test_frame_to_many_sockets_lets_other_tasks_run_in_between(feed, monkeypatch):
    """A ping is answered while a frame goes out to the sockets of a large organization."""
    monkeypatch.setattr(feed_module, "SENDS_BEFORE_YIELD", 2)
    readers = [follow(feed) for _ in range(6)]
    for reader in readers:
        reader.reads.set()
    seen = []

    async def look():
        seen.append(sum(bool(reader.received) for reader in readers))

    (entry,) = [await sync_to_async(append)(feed.name, {"n": 1})]
    looking = asyncio.create_task(look())
    await feed.accept(entry)
    await looking
    assert 0 < seen[0] < 6
