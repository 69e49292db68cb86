"""Durable streams: what is sent to a user or an organisation is a row first, a message second.

The offsets of a stream rise by one, without a gap, whoever writes at the same time: the row of the
stream is locked from the first append of a transaction to its end. So a transaction that is visible
makes all earlier offsets visible too, and a reader never sees 5 before 4. Broadcast late in a long
transaction: other writers of the same stream wait for it.
"""

from collections.abc import Iterable
from datetime import timedelta
from typing import NamedTuple

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from . import frames
from .models import Entry, Stream

# Rows that are read or deleted at once.
PAGE = 100

# Streams that one query asks for; SQLite takes 32,766 values in a query.
MANY = 10_000


class HistoryGoneError(Exception):
    """What follows an offset was pruned."""


class Position(NamedTuple):
    """Where a stream is: its row, and the offset of its last entry."""

    stream_id: int
    epoch: str
    head: int


class Appended(NamedTuple):
    """A frame in its place; `text` is what goes over the wire, its offset included."""

    epoch: str
    offset: int
    text: str


@transaction.atomic
def append(name: str, frame: dict) -> Appended:
    """Add a frame to the end of a stream, in the caller's transaction.

    Raises TypeError or ValueError for what JSON cannot spell, and adds nothing.
    """
    stream = Stream.objects.filter(name=name)
    # An update first: it takes the lock, on SQLite too, where a read before it would not.
    if not stream.update(head=F("head") + 1):
        begin([name])
        stream.update(head=F("head") + 1)
    stream_id, epoch, offset = position(name)
    text = frames.encode(frame | {"offset": offset})
    Entry.objects.create(stream_id=stream_id, offset=offset, frame=text)
    return Appended(epoch, offset, text)


def position(name: str) -> Position:
    """Return where a stream is; one that nothing was sent to begins now, at 0."""
    return positions([name]).get(name) or begin([name])[name]


def begin(names: Iterable[str]) -> dict[str, Position]:
    """Begin streams, but those that somebody began meanwhile, and return where all of them are."""
    wanted = list(names)
    Stream.objects.bulk_create([Stream(name=name) for name in wanted], ignore_conflicts=True)
    return positions(wanted)


def positions(names: Iterable[str]) -> dict[str, Position]:
    """Return where the streams are that exist, by one query for many."""
    wanted = list(names)
    found = {}
    for start in range(0, len(wanted), MANY):
        rows = Stream.objects.filter(name__in=wanted[start : start + MANY])
        for name, *place in rows.values_list("name", "id", "epoch", "head"):
            found[name] = Position(*place)
    return found


def read_after(stream_id: int, offset: int) -> list[tuple[int, str]]:
    """Return a page of what is kept after an offset: pairs of offset and text."""
    later = Entry.objects.filter(stream_id=stream_id, offset__gt=offset)
    return list(later.order_by("offset").values_list("offset", "frame")[:PAGE])


def reaches_back(stream_id: int, offset: int) -> bool:
    """Whether all that followed an offset is still there."""
    following = Entry.objects.filter(stream_id=stream_id, offset=offset + 1)
    return following.exists() or Stream.objects.filter(id=stream_id, head=offset).exists()


def prune(keep: int, age: timedelta) -> int:
    """Delete all but the last `keep` entries of each stream, and what is older; return how many.

    Page by page, each in a transaction of its own, so that no writer waits long.
    """
    before = timezone.now() - age
    streams = Stream.objects.filter(head__gt=0).values_list("id", "head").iterator()
    return sum(_prune(stream_id, head - keep, before) for stream_id, head in streams)


def _prune(stream_id: int, upto: int, before) -> int:
    """Delete the beginning of one stream: offsets up to one, and what was written before a time."""
    deleted = 0
    entries = Entry.objects.filter(stream_id=stream_id)
    while True:
        page = entries.order_by("offset").values_list("offset", "created_at")[:PAGE]
        old = [offset for offset, written in page if offset <= upto or written < before]
        if not old:
            return deleted
        # A range, not a list: the index serves it, and a stream is only ever cut at its beginning.
        deleted += entries.filter(offset__lte=max(old)).delete()[0]
