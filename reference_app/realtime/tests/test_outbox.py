"""Frames get their places at once, or when the transaction of their sender has committed."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import OperationalError, connection, connections, transaction
from django.test.utils import CaptureQueriesContext

from ..delivery import statements
from ..delivery.outbox import BATCH, Outgoing, flush_abandoned, send
from ..delivery.streams import Appended, position, read_after
from ..models import Entry, PendingEntry, Stream
from ..protocol import frames
from .entries import append

pytestmark = pytest.mark.django_db(transaction=True)


def frame(stream: str, number: int = 1) -> Outgoing:
    return Outgoing(stream, frames.encode_entry({"type": "event", "n": number}))


def sent(stream: str, *numbers: int) -> list[Appended]:
    """Send numbered frames, one after the other."""
    return [entry for number in numbers for entry in send([frame(stream, number)])]


def kept(stream: str) -> list[int]:
    """Return the numbers of the frames of a stream, after a look at its chain of tags."""
    entries = read_after(stream, position(stream).stream_id, 0)
    assert [entry.offset for entry in entries] == [*range(1, len(entries) + 1)]
    chain = zip(entries, entries[1:], strict=False)
    assert all(entry.tag == following.previous for entry, following in chain)
    if entries:
        assert position(stream).place == (entries[-1].offset, entries[-1].tag)
    return [frames.parse(entry.text)["n"] for entry in entries]


def in_thread(work, *arguments):
    """Run in a thread with connections of its own, and return its future."""

    def run():
        try:
            return work(*arguments)
        finally:
            connections.close_all()

    pool = ThreadPoolExecutor(1)
    future = pool.submit(run)
    pool.shutdown(wait=False)
    return future


# Without a transaction


def test_offsets_rise_by_one_in_each_stream():
    assert [entry.offset for entry in sent("a", 1, 2, 3)] == [1, 2, 3]
    assert [entry.offset for entry in sent("b", 1) + sent("a", 4)] == [1, 4]
    assert kept("a") == [1, 2, 3, 4]


def test_frame_carries_its_place_and_the_row_is_what_is_sent():
    (entry,) = sent("é", 1)
    assert frames.parse(entry.text) == {
        "type": "event",
        "n": 1,
        "offset": 1,
        "position": f"1.{entry.tag}",
    }
    assert read_after("é", position("é").stream_id, 0) == [entry]
    assert sent("é", 2) == read_after("é", position("é").stream_id, 1)


def test_many_frames_to_many_streams_are_one_transaction():
    sent("b", 1)
    entries = send([frame("b", 2), frame("a", 1), frame("b", 3)])
    assert [(entry.stream, entry.offset) for entry in entries] == [("b", 2), ("a", 1), ("b", 3)]
    assert (kept("a"), kept("b")) == ([1], [1, 2, 3])
    with CaptureQueriesContext(connection) as queries:
        send([frame(stream, number) for stream in "ab" for number in range(50)])
    written = [query["sql"] for query in queries if " INTO " in query["sql"]]
    assert len(written) == 1
    assert len(queries) <= 7  # to begin and to end, four statements, on PostgreSQL the bounds


def test_more_frames_than_a_batch_are_all_sent_in_order():
    entries = send([frame("a", number) for number in range(BATCH + 3)])
    assert len(entries) == position("a").head == BATCH + 3
    assert [frames.parse(entry.text)["n"] for entry in entries] == [*range(BATCH + 3)]
    assert not PendingEntry.objects.exists()


def test_concurrent_writers_leave_no_gap_and_one_stream():
    """Twenty threads, with and without a transaction around, some of them rolled back."""
    together = threading.Barrier(20)

    def write(number):
        together.wait()
        for turn in range(5):
            with transaction.atomic():
                sent("busy", number)
                if (number + turn) % 3 == 0:
                    transaction.set_rollback(True)
            sent("busy", number)

    for future in [in_thread(write, number) for number in range(20)]:
        future.result()
    rolled_back = sum((number + turn) % 3 == 0 for number in range(20) for turn in range(5))
    assert Stream.objects.get().head == Entry.objects.count() == 200 - rolled_back
    assert Entry.objects.filter(offset__gt=200 - rolled_back).count() == 0


# In a transaction


def test_frames_of_a_transaction_are_published_in_order_after_its_commit(published):
    with transaction.atomic():
        assert sent("a", 1, 2) == sent("b", 1) == []
        sent("a", 3)
        assert (Entry.objects.count(), published) == (0, [])
    assert [(entry.stream, entry.offset) for entry in published] == [
        ("a", 1), ("a", 2), ("b", 1), ("a", 3)
    ]  # fmt: skip
    assert (kept("a"), kept("b")) == ([1, 2, 3], [1])
    assert not PendingEntry.objects.exists()


def test_rolled_back_frames_are_never_sent(published):
    with transaction.atomic():
        sent("a", 1)
        transaction.set_rollback(True)
    assert (published, PendingEntry.objects.count()) == ([], 0)
    assert [entry.offset for entry in sent("a", 2)] == [1]


@pytest.mark.parametrize("which", ["first", "last", "only"])
def test_savepoint_that_is_rolled_back_takes_its_own_frames_along_and_no_others(published, which):
    with transaction.atomic():
        if which == "last":
            sent("a", 1)
        with transaction.atomic():
            sent("a", 2)
            transaction.set_rollback(True)
        if which == "first":
            sent("a", 1)
    assert kept("a") == ([] if which == "only" else [1])
    assert len(published) == (which != "only")
    # What the hook of the savepoint would have moved is not forgotten by the next.
    with transaction.atomic():
        sent("a", 3)
    assert kept("a")[-1] == 3


def test_durable_transaction_may_send(published):
    with transaction.atomic(durable=True):
        sent("a", 1)
    assert kept("a") == [1]


def test_more_than_a_batch_in_a_transaction_keeps_its_order(published):
    with transaction.atomic():
        sent("a", *range(BATCH + 3))
    assert [frames.parse(entry.text)["n"] for entry in published] == [*range(BATCH + 3)]


def test_hook_of_the_caller_that_raises_leaves_the_frames_for_later(published):
    def fail():
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), transaction.atomic():
        transaction.on_commit(fail)
        sent("a", 1)
    assert (published, PendingEntry.objects.count()) == ([], 1)
    assert [entry.offset for entry in sent("a", 2)] == [1, 2]
    assert kept("a") == [1, 2]


def test_database_that_is_away_after_the_commit_costs_the_caller_nothing(
    published, monkeypatch, caplog
):
    def fail(*arguments, **options):
        raise OperationalError("no such host")

    done = []
    with monkeypatch.context() as patch:
        patch.setattr(statements, "lock_streams", fail)
        with transaction.atomic():
            sent("a", 1)
            transaction.on_commit(lambda: done.append("the caller's hook"))
    assert done == ["the caller's hook"]
    assert "will be delivered later: OperationalError('no such host')" in caplog.text
    assert [entry.offset for entry in flush_abandoned()] == [1]


def test_without_autocommit_the_periodic_check_finds_what_was_committed(published):
    transaction.set_autocommit(False)
    try:
        assert sent("a", 1) == []
        assert published == []
        transaction.rollback()
        sent("a", 2)
        transaction.commit()
    finally:
        transaction.set_autocommit(True)
    assert [entry.offset for entry in flush_abandoned()] == [1]
    assert kept("a") == [2]


def test_tests_of_a_project_see_frames_in_captured_callbacks(
    django_capture_on_commit_callbacks, published
):
    """`captureOnCommitCallbacks` runs hooks inside the transaction of the test."""
    with transaction.atomic():
        with django_capture_on_commit_callbacks(execute=True) as callbacks:
            sent("a", 1, 2)
        assert len(callbacks) == 2
        assert kept("a") == [1, 2]
        assert len(published) == 2
        transaction.set_rollback(True)
    assert Entry.objects.count() == 0


# Pending entries of others


def abandon(stream: str, *numbers: int) -> None:
    """Commit frames whose sender died before it could give them their places."""
    statements.add_pending(connection, [frame(stream, number) for number in numbers])


def test_sender_does_not_overtake_what_is_pending():
    sent("a", 1)
    abandon("a", 2, 3)
    assert [entry.offset for entry in sent("a", 4)] == [2, 3, 4]
    assert kept("a") == [1, 2, 3, 4]


@pytest.mark.parametrize("streams", [None, ["a", "b"]], ids=["any", "these"])
def test_what_a_dead_sender_left_is_completed(streams):
    abandon("a", 1, 2)
    abandon("b", *range(BATCH + 1))
    assert len(flush_abandoned(streams)) == BATCH + 3
    assert kept("a") == [1, 2]
    assert flush_abandoned(streams) == []


def test_what_was_left_of_another_stream_stays_until_it_is_asked_for():
    abandon("a", 1)
    assert flush_abandoned(["b"]) == []
    assert not Stream.objects.filter(name="b").exists()


@pytest.mark.postgresql
def test_open_transaction_that_has_sent_delays_nobody(published):
    begun, end = threading.Event(), threading.Event()

    def send_and_wait():
        with transaction.atomic():
            sent("a", 1)
            begun.set()
            assert end.wait(10)

    slow = in_thread(send_and_wait)
    assert begun.wait(10)
    with connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = '100ms'")
    try:
        assert [entry.offset for entry in sent("a", 2)] == [1]
        with transaction.atomic():
            sent("a", 3)
        assert kept("a") == [2, 3]
    finally:
        end.set()
        with connection.cursor() as cursor:
            cursor.execute("RESET lock_timeout")
    slow.result()
    assert kept("a") == [2, 3, 1]


@pytest.mark.postgresql
def test_thread_of_a_transaction_that_waits_for_it_may_send(published):
    with transaction.atomic():
        sent("a", 1)
        assert [entry.offset for entry in in_thread(sent, "a", 2).result(10)] == [1]
    assert kept("a") == [2, 1]


@pytest.mark.postgresql
def test_stream_that_is_locked_for_too_long_gets_the_frame_later():
    sent("a", 1)
    locked, end = threading.Event(), threading.Event()

    def lock():
        with transaction.atomic():
            Stream.objects.select_for_update().get(name="a")
            locked.set()
            assert end.wait(10)

    lock = in_thread(lock)
    assert locked.wait(10)
    with connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = '50ms'")
    try:
        assert sent("a", 2) == []
        assert flush_abandoned() == []  # it skips what is locked
    finally:
        end.set()
        with connection.cursor() as cursor:
            cursor.execute("RESET lock_timeout")
    lock.result()
    assert [entry.offset for entry in flush_abandoned()] == [2]
    assert kept("a") == [1, 2]


@pytest.mark.postgresql
def test_crossed_transactions_both_commit(published):
    together = threading.Barrier(2)

    def send_to(*streams):
        for number in range(20):
            together.wait()
            with transaction.atomic():
                sent(streams[0], number)
                together.wait()
                sent(streams[1], number)

    for future in [in_thread(send_to, "a", "b"), in_thread(send_to, "b", "a")]:
        future.result()
    assert sorted(kept("a")) == sorted(kept("b")) == sorted([*range(20)] * 2)


@pytest.mark.postgresql
@pytest.mark.parametrize("level", ["REPEATABLE READ", "SERIALIZABLE"])
def test_stricter_isolation_of_the_connection_costs_no_frame(published, level):
    def send_many(number):
        with connection.cursor() as cursor:
            cursor.execute(f"SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL {level}")
        for _ in range(20):
            sent("a", number)

    for future in [in_thread(send_many, number) for number in range(4)]:
        future.result()
    assert len(kept("a")) == 80


def test_first_frames_to_one_stream_meet_in_one_row():
    together = threading.Barrier(8)

    def send_first(number):
        together.wait()
        return sent("new", number)

    futures = [in_thread(send_first, number) for number in range(8)]
    assert sum(len(future.result()) for future in futures) == 8
    assert sorted(kept("new")) == [*range(8)]


def test_append_of_the_tests_is_a_senders():
    assert append("a", {"n": 1}).offset == 1
