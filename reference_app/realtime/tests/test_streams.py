"""Pages of a stream, how far its history reaches back, and pruning by count and by age."""

from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from ..delivery.statements import READ_POSTGRESQL
from ..delivery.streams import (
    PAGE,
    Place,
    position,
    positions,
    prune,
    reaches_back,
    read_after,
)
from ..models import Entry
from ..protocol import frames
from .entries import append, place_of

pytestmark = pytest.mark.django_db(transaction=True)

LONG = timedelta(days=1)


def offsets(name):
    return list(
        Entry.objects.filter(stream__name=name).order_by("offset").values_list("offset", flat=True)
    )


def test_position_of_a_stream_that_nothing_was_sent_to_is_kept():
    first = position("new")
    assert first.head == 0
    entry = append("new", {})
    assert position("new") == first._replace(head=1, tag=entry.tag)


def test_positions_are_read_by_one_query(django_assert_num_queries):
    for name in "abc":
        append(name, {})
    with django_assert_num_queries(1):
        found = positions(["a", "c", "unknown"])
    assert {name: place.head for name, place in found.items()} == {"a": 1, "c": 1}


def test_pages_follow_one_another():
    entries = [append("a", {"n": n}) for n in range(PAGE + 5)]
    stream_id = position("a").stream_id
    assert read_after("a", stream_id, 3) == entries[3 : PAGE + 3]
    assert read_after("a", stream_id, PAGE + 3) == entries[PAGE + 3 :]
    assert read_after("a", stream_id, PAGE + 5) == []


@pytest.mark.parametrize(
    ("letters", "lengths"),
    [((400,) * 5, [3, 2]), ((2_000, 10, 10, 10), [1, 3]), ((10, 2_000, 10), [2, 1])],
)
def test_page_ends_where_it_has_enough_bytes(settings, letters, lengths):
    """The first row is read, however long it is, and no page is longer by more than one row."""
    settings.REALTIME_HISTORY_PAGE_BYTES = 2_000
    entries = [append("a", {"x": "é" * count}) for count in letters]
    stream_id, offset, pages = position("a").stream_id, 0, []
    while offset < len(entries):
        pages.append(read_after("a", stream_id, offset))
        offset = pages[-1][-1].offset
    assert [len(page) for page in pages] == lengths
    assert [entry for page in pages for entry in page] == entries


@pytest.mark.postgresql
def test_frames_beyond_a_page_do_not_leave_postgresql():
    for _ in range(4):
        append("a", {"x": "x" * 1_000})
    values = {"stream_id": position("a").stream_id, "offset": 0, "rows": 3}
    with connection.cursor() as cursor:
        cursor.execute(READ_POSTGRESQL, values | {"longest": 5_000, "most": 1_500})
        assert [len(frame) > 1_000 for _, _, _, frame, _ in cursor] == [True, True, False]


def test_frame_above_the_limit_is_read_as_an_omitted_entry(settings):
    small, large = append("a", {"x": ""}), append("a", {"x": "é" * 1000})
    settings.REALTIME_MAX_FRAME_BYTES = 500
    kept, omitted = read_after("a", position("a").stream_id, 0)
    assert kept == small
    assert omitted == large._replace(text=omitted.text)
    assert frames.parse(omitted.text) == {
        "type": "entry.omitted",
        "size": len(large.text.encode()),
        "offset": 2,
        "position": str(place_of(large)),
    }


def test_place_is_found_that_is_the_end_until_a_frame_is_sent():
    """A client resumes at the end of a stream, and a frame comes between the two queries."""
    place, stream_id = place_of(append("a", {})), position("a").stream_id
    asked = []

    def send_after_the_first_query(execute, *query):
        answer = execute(*query)
        if not asked:
            asked.append(query)
            append("a", {})
        return answer

    with connection.execute_wrapper(send_after_the_first_query):
        assert reaches_back(stream_id, place)
    assert asked


@pytest.mark.parametrize(
    ("offset", "reached"), [(0, False), (3, False), (4, True), (9, True), (10, True)]
)
def test_history_reaches_back_to_what_was_kept(offset, reached):
    places = [position("a").place] + [place_of(append("a", {})) for _ in range(10)]
    prune(keep=6, age=LONG)
    assert reaches_back(position("a").stream_id, places[offset]) is reached


@pytest.mark.parametrize("offset", [-1, 11, 10**18])
def test_history_does_not_reach_ahead(offset):
    entries = [append("a", {}) for _ in range(10)]
    assert not reaches_back(position("a").stream_id, Place(offset, entries[-1].tag))


@pytest.mark.parametrize("keep", [10, 6, 0])
@pytest.mark.parametrize("offset", [0, 5, 10])
def test_history_does_not_reach_back_to_an_entry_that_had_another_tag(offset, keep):
    for _ in range(10):
        append("a", {})
    prune(keep, age=LONG)
    assert not reaches_back(position("a").stream_id, Place(offset, "restored"))


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
    settings.REALTIME_HISTORY_FRAMES = 2
    for _ in range(5):
        append("a", {})
    call_command("prune_streams")
    assert capsys.readouterr().out == "Deleted 3 entries.\n"
    assert offsets("a") == [4, 5]


def test_stream_keeps_its_place_when_all_of_it_is_pruned():
    append("a", {})
    before = position("a")
    assert prune(keep=0, age=LONG) == 1
    assert position("a") == before
