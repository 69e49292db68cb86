"""Reads and prunes streams, in which a frame is a row first and a message second.

The offsets of a stream rise by one, without a gap. They are assigned after the sender's transaction
has committed (`outbox`), so a reader never sees 5 before 4.
"""

from collections.abc import Iterable
from datetime import timedelta
from time import time
from typing import NamedTuple

from django.db import connections, router
from django.db.models.functions import Length, Now

from ..conf import conf
from ..layer.batching import Message
from ..models import Entry, Stream
from ..protocol import frames
from . import statements

# The type of the group message that announces an entry.
MESSAGE_TYPE = "stream.entry"

# Rows that are read or deleted at once.
PAGE = 100

# Streams that one query asks for; SQLite takes 32,766 values in a query.
MANY = 10_000


class HistoryGoneError(Exception):
    """What follows an offset was pruned, or is another history than the reader's."""


class Place(NamedTuple):
    """Names one entry of a stream, or its beginning, by offset and tag.

    Clients know it as an opaque text, their `position`.
    """

    offset: int
    tag: str

    def __str__(self) -> str:
        return frames.position(self.offset, self.tag)


class Position(NamedTuple):
    """Where a stream is, which is its row and the offset and tag of its last entry."""

    stream_id: int
    head: int
    tag: str

    @property
    def place(self) -> Place:
        return Place(self.head, self.tag)


class Appended(NamedTuple):
    """An entry of a stream, with the text that goes over the wire."""

    stream: str
    offset: int
    tag: str
    # The tag of the entry before.
    previous: str
    text: str
    # When it was published, in seconds of the epoch by the sender's clock; 0 for one of a page.
    written_at: float = 0


def messages_of(entries: Iterable[Appended]) -> list[Message]:
    """Return the group messages by which the hub of each process hears of new entries."""
    now = {"written_at": time()}
    return [(entry.stream, {"type": MESSAGE_TYPE, **entry._asdict(), **now}) for entry in entries]


def position(name: str) -> Position:
    """Return where a stream is, and begin it at 0 if nothing was sent to it yet."""
    return positions([name]).get(name) or begin([name])[name]


def begin(names: Iterable[str]) -> dict[str, Position]:
    """Begin the streams that do not exist yet, and return where all of them are."""
    wanted = sorted(names)  # in one order, so that two processes cannot wait for each other
    Stream.objects.bulk_create([Stream(name=name) for name in wanted], ignore_conflicts=True)
    return positions(wanted)


def positions(names: Iterable[str]) -> dict[str, Position]:
    """Return where the streams are that exist, by one query for many."""
    wanted = list(names)
    found = {}
    for start in range(0, len(wanted), MANY):
        rows = Stream.objects.filter(name__in=wanted[start : start + MANY])
        for name, stream_id, head, tag in rows.values_list("name", "id", "head", "tag"):
            found[name] = Position(stream_id, head, tag)
    return found


def read_after(stream: str, stream_id: int, offset: int) -> list[Appended]:
    """Return a page of a stream's entries after an offset.

    It is short enough for a client's buffer, and has at least one entry where there is one. A frame
    above the limit, from before the limit was lowered, never leaves the database: its place is
    taken by a small `entry.omitted`.
    """
    connection = connections[router.db_for_read(Entry)]
    limits = PAGE, conf.HISTORY_PAGE_BYTES, conf.MAX_FRAME_BYTES
    page = statements.read_after(connection, stream_id, offset, *limits)
    return [
        Appended(stream, at, tag, previous, text or frames.omitted(at, tag, size))
        for at, tag, previous, text, size in page
    ]


def place_before(stream_id: int, head: Place, entries: int) -> Place:
    """Return the place before the last so many entries up to a place, as far as they are there."""
    last = Entry.objects.filter(stream_id=stream_id, offset__lte=head.offset)
    first = last.filter(offset__gt=head.offset - entries).order_by("offset")
    for offset, previous in first.values_list("offset", "previous")[:1]:
        return Place(offset - 1, previous)
    return head


def latest(stream: str, stream_id: int, upto: int) -> list[Appended]:
    """Return the last entries up to an offset, a page of them.

    Their lengths are read first, because the page has a bound and has to reach its end.
    """
    entries = Entry.objects.filter(stream_id=stream_id, offset__lte=upto).order_by("-offset")
    sizes = entries.annotate(size=Length("frame")).values_list("offset", "size")
    total, begin = 0, upto
    for offset, size in sizes[: conf.ROWS_PER_ANSWER]:
        if total and total + size > conf.HISTORY_PAGE_BYTES:
            break
        total, begin = total + size, offset - 1
    page: list[Appended] = []
    while begin < upto and (more := read_after(stream, stream_id, begin)):
        page, begin = page + more, more[-1].offset
    return [entry for entry in page if entry.offset <= upto]


def reaches_back(stream_id: int, place: Place) -> bool:
    """Whether a place is one of this history, and all that followed it is still there."""
    offset, tag = place
    following = Entry.objects.filter(stream_id=stream_id, offset=offset + 1, previous=tag)
    # In this order: a place that is the end is followed by an entry from the next moment on.
    return Stream.objects.filter(id=stream_id, head=offset, tag=tag).exists() or following.exists()


def prune(keep: int, age: timedelta) -> int:
    """Delete entries but the last `keep` of each stream, and older ones, and return how many.

    Page by page, each in a transaction of its own, so that no writer waits long.
    """
    streams = Stream.objects.filter(head__gt=0).values_list("id", "head").iterator()
    return sum(_prune(stream_id, head - keep, age) for stream_id, head in streams)


def _prune(stream_id: int, upto: int, age: timedelta) -> int:
    """Delete the offsets of one stream up to one, and entries that are older than an age."""
    deleted = 0
    entries = Entry.objects.filter(stream_id=stream_id)
    while True:
        page = entries.order_by("offset")[:PAGE].values_list("offset", "created_at", Now())
        old = [offset for offset, written, now in page if offset <= upto or now - written > age]
        if not old:
            return deleted
        # A range, not a list: the index serves it, and a stream is only ever cut at its beginning.
        deleted += entries.filter(offset__lte=max(old)).delete()[0]
