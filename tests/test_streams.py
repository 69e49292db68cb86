"""Offsets without a gap, whoever writes; pages after an offset; pruning by count and by age."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import connection, connections, transaction
from django.utils import timezone

from api import frames
from api.models import Entry, Stream
from api.streams import (
    PAGE,
    _prune,
    append,
    position,
    positions,
    prune,
    reaches_back,
    read_after,
)

pytestmark = pytest.mark.django_db(transaction=True)

LONG = timedelta(days=1)


def offsets(name):
    return list(
        Entry.objects.filter(stream__name=name).order_by("offset").values_list("offset", flat=True)
    )


def test_offsets_rise_by_one_in_each_stream():
    assert [append("a", {}).offset for _ in range(3)] == [1, 2, 3]
    assert append("b", {}).offset == 1
    assert append("a", {}).offset == 4


def test_frame_carries_its_offset_and_the_row_is_what_is_sent():
    entry = append("a", {"type": "event", "data": {"n": 1}})
    assert frames.parse(entry.text) == {"type": "event", "data": {"n": 1}, "offset": 1}
    assert read_after(position("a").stream_id, 0) == [(1, entry.text)]


def test_rolled_back_append_leaves_no_gap():
    append("a", {})
    with transaction.atomic():
        append("a", {})
        transaction.set_rollback(True)
    assert append("a", {}).offset == 2
    assert offsets("a") == [1, 2]


def test_what_json_cannot_spell_adds_nothing_and_leaves_the_transaction_usable():
    with transaction.atomic():
        with pytest.raises(TypeError):
            append("a", {"data": object()})
        assert append("a", {}).offset == 1
    assert offsets("a") == [1]


def test_concurrent_writers_leave_no_gap_and_one_stream():
    """Twenty threads, with and without a transaction around, some of them rolled back."""
    together = threading.Barrier(20)

    def write(number):
        try:
            together.wait()
            for turn in range(5):
                if (number + turn) % 5 == 0:
                    with transaction.atomic():
                        append("busy", {"n": number})
                        transaction.set_rollback(True)
                append("busy", {"n": number})
        finally:
            connections.close_all()

    with ThreadPoolExecutor(20) as pool:
        list(pool.map(write, range(20)))
    assert offsets("busy") == list(range(1, 101))
    assert Stream.objects.get().head == 100


def test_later_offset_is_never_visible_before_an_earlier_one():
    """A second writer waits for the first one's transaction, and a reader sees neither."""
    begun, end, second = threading.Event(), threading.Event(), threading.Event()

    def write_slowly():
        with transaction.atomic():
            append("a", {})
            begun.set()
            assert end.wait(10)
        connections.close_all()

    def write_quickly():
        assert append("a", {}).offset == 2
        second.set()
        connections.close_all()

    append("b", {})
    with ThreadPoolExecutor(2) as pool:
        slow = pool.submit(write_slowly)
        assert begun.wait(10)
        quick = pool.submit(write_quickly)
        assert not second.wait(0.2)
        assert offsets("a") == []
        end.set()
        slow.result()
        quick.result()
    assert offsets("a") == [1, 2]


def test_position_of_a_stream_that_nothing_was_sent_to_is_kept():
    first = position("new")
    assert first.head == 0
    append("new", {})
    assert position("new") == first._replace(head=1)


def test_positions_are_read_by_one_query(django_assert_num_queries):
    for name in "abc":
        append(name, {})
    with django_assert_num_queries(1):
        found = positions(["a", "c", "unknown"])
    assert {name: place.head for name, place in found.items()} == {"a": 1, "c": 1}


def test_pages_follow_one_another():
    for _ in range(PAGE + 5):
        append("a", {})
    stream_id = position("a").stream_id
    page = read_after(stream_id, 3)
    assert [offset for offset, _ in page] == list(range(4, PAGE + 4))
    assert [offset for offset, _ in read_after(stream_id, page[-1][0])] == [PAGE + 4, PAGE + 5]
    assert read_after(stream_id, PAGE + 5) == []


@pytest.mark.parametrize(
    ("offset", "reached"), [(-1, False), (0, False), (3, False), (4, True), (9, True), (10, True)]
)
def test_history_reaches_back_to_what_was_kept(offset, reached):
    for _ in range(10):
        append("a", {})
    prune(keep=6, age=LONG)
    assert reaches_back(position("a").stream_id, offset) is reached


@pytest.mark.parametrize("offset", [11, 10**30])
def test_history_does_not_reach_ahead(offset):
    for _ in range(10):
        append("a", {})
    assert not reaches_back(position("a").stream_id, offset)


def test_pruning_by_count_keeps_the_last_of_each_stream():
    for name, count in (("long", 2 * PAGE + 7), ("short", 3)):
        for _ in range(count):
            append(name, {})
    assert prune(keep=5, age=LONG) == 2 * PAGE + 2
    assert offsets("long") == list(range(2 * PAGE + 3, 2 * PAGE + 8))
    assert offsets("short") == [1, 2, 3]
    assert append("long", {}).offset == 2 * PAGE + 8


def test_pruning_by_age_deletes_what_is_older():
    for _ in range(4):
        append("a", {})
    old = timezone.now() - timedelta(days=2)
    Entry.objects.filter(offset__lte=3).update(created_at=old)
    assert prune(keep=100, age=timedelta(days=3)) == 0
    assert prune(keep=100, age=LONG) == 3
    assert offsets("a") == [4]


def test_command_prunes_as_the_settings_say(settings, capsys):
    settings.WEBSOCKET_HISTORY_FRAMES = 2
    for _ in range(5):
        append("a", {})
    call_command("prune_streams")
    assert capsys.readouterr().out == "Deleted 3 entries.\n"
    assert offsets("a") == [4, 5]


def test_stream_keeps_its_epoch_when_all_of_it_is_pruned():
    append("a", {})
    before = position("a")
    assert prune(keep=0, age=LONG) == 1
    assert position("a") == before


MILLION = 1_000_000
FILL = {
    "sqlite": """
        WITH RECURSIVE number(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < {count})
        INSERT INTO {table} (stream_id, "offset", frame, created_at)
        SELECT {stream}, n, '{{}}', CURRENT_TIMESTAMP FROM number
    """,
    "postgresql": """
        INSERT INTO {table} (stream_id, "offset", frame, created_at)
        SELECT {stream}, n, '{{}}', CURRENT_TIMESTAMP FROM generate_series(1, {count}) AS n;
        ANALYZE
    """,
}


@pytest.fixture
def million():
    """Return the id of a stream of a million entries, which the database makes itself."""
    append("other", {})
    stream = Stream.objects.create(name="million", head=MILLION)
    values = {"table": Entry._meta.db_table, "stream": stream.id, "count": MILLION}
    with connection.cursor() as cursor:
        cursor.execute(FILL[connection.vendor].format(**values))
    return stream.id


def plans_of(action) -> list[str]:
    """Return how the database comes to what an action asks of it, query by query."""
    asked = []

    def note(execute, sql, params, many, context):
        asked.append((sql, params))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        action()
    explain = "EXPLAIN QUERY PLAN" if connection.vendor == "sqlite" else "EXPLAIN"
    plans = []
    with connection.cursor() as cursor:
        for sql, params in asked:
            if "offset" in sql:
                cursor.execute(f"{explain} {sql}", params)
                plans.append(str(cursor.fetchall()).upper())
    return plans


def test_in_a_million_entries_what_is_read_and_pruned_is_found_by_the_index(million):
    """The plan keeps a page under 10 ms; a figure of time belongs in the bench."""
    long_ago = timezone.now() - LONG
    plans = plans_of(lambda: read_after(million, MILLION // 2))
    plans += plans_of(lambda: reaches_back(million, MILLION // 2))
    plans += plans_of(lambda: _prune(million, 2 * PAGE, long_ago))
    assert (
        len(plans) == 7
    )  # one page read, one entry looked for, three pages looked at, two deleted
    for plan in plans:
        assert "INDEX" in plan, plan
        assert not any(word in plan for word in ("SEQ SCAN", "SORT", "TEMP B-TREE")), plan
    assert read_after(million, 2 * PAGE)[0][0] == 2 * PAGE + 1
