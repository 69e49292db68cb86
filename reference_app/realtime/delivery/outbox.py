"""Writes frames to the ends of their streams, at once or when the sender's transaction commits.

Inside a transaction a frame becomes a pending entry. On PostgreSQL that takes no lock that another
transaction could want. On SQLite the transaction holds the only write lock, as with any write.
After the commit, `flush` gives the entry an offset in a short transaction of its own. Where the
process dies in between, the next sender to the stream, the next socket on it, or the periodic check
of any process does it instead.
"""

import logging
from collections.abc import Iterable, Sequence
from typing import NamedTuple
from weakref import WeakKeyDictionary

from django.db import DatabaseError, OperationalError, connections, router, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from ..layer.publish import publish
from ..models import Entry, PendingEntry, new_tag
from ..protocol import frames
from ..signals import entries_appended
from . import statements
from .statements import End
from .streams import Appended, begin, messages_of

logger = logging.getLogger(__name__)

# Rows that one transaction moves: while it lasts, other senders to its streams wait.
BATCH = 500

# Streams that the periodic check completes at a time.
STREAMS = 100

# Tries to move entries while other transactions are in the way.
TRIES = 3


class Outgoing(NamedTuple):
    """A frame on its way to a stream.

    `text` is what `frames.encode_entry` returns.
    """

    stream: str
    text: str


def send(outgoing: Sequence[Outgoing]) -> list[Appended]:
    """Write frames to their streams, all or none, and return those to publish now.

    Where this thread is in a transaction, they are published after its commit, and a rollback takes
    them along. Raises DatabaseError where nothing could be written.
    """
    connection = connections[router.db_for_write(Entry)]
    try:
        return _write(connection, outgoing)
    except OperationalError as error:
        if not connection.in_atomic_block:
            connection.close_if_unusable_or_obsolete()
        if connection.vendor == "sqlite" and "locked" in str(error):
            raise OperationalError(
                "The frame was not sent, because another transaction holds SQLite's only write "
                "lock. End that transaction before you send from another thread or process, or "
                "use PostgreSQL."
            ) from error
        raise


def send_and_publish(outgoing: Sequence[Outgoing]) -> None:
    """Send from sync code, and wait until the channel layer has what may be published now."""
    publish(messages_of(send(outgoing)))


def _write(connection: BaseDatabaseWrapper, outgoing: Sequence[Outgoing]) -> list[Appended]:
    """Write frames in the transaction that this thread is in, or in one of their own."""
    if connection.in_atomic_block:
        statements.add_pending(connection, outgoing)
        _flush_after_commit(connection, outgoing)
    elif not connection.get_autocommit():
        # Django calls no hook after such a commit: the periodic check finds these.
        statements.add_pending(connection, outgoing)
    elif elsewhere := _other_transaction():
        _send_after_commit(elsewhere, outgoing)
    else:
        return append(outgoing)
    return []


def append(outgoing: Sequence[Outgoing]) -> list[Appended]:
    """Write frames to the ends of their streams in a transaction of their own.

    Returns the entries. Where another transaction holds a stream for too long, the frames are left
    pending.
    """
    connection = connections[router.db_for_write(Entry)]
    sent: list[Appended] = []
    try:
        if len(outgoing) == 1 and (entry := _append_one(connection, outgoing[0])):
            return [entry]
        if len(outgoing) <= BATCH:
            _move(connection, _streams_of(outgoing), sent, also=outgoing)
            return sent
    except OperationalError as error:
        if not statements.was_locked(error):
            raise
        statements.add_pending(connection, outgoing)
        return sent
    with transaction.atomic(using=connection.alias):
        for start in range(0, len(outgoing), BATCH):
            statements.add_pending(connection, outgoing[start : start + BATCH])
    return flush(_streams_of(outgoing))


def flush(streams: Iterable[str], *, skip_locked: bool = False) -> list[Appended]:
    """Give the committed pending entries of some streams their places, and return the entries.

    What cannot be moved now is left for later, and a warning is logged.
    """
    connection = connections[router.db_for_write(Entry)]
    sent: list[Appended] = []
    names = sorted(set(streams))
    try:
        for start in range(0, len(names), BATCH):
            _move(connection, names[start : start + BATCH], sent, skip_locked=skip_locked)
    except DatabaseError as error:
        logger.warning("Committed frames will be delivered later: %r", error)
        if not connection.in_atomic_block:
            connection.close_if_unusable_or_obsolete()
    return sent


def flush_abandoned(streams: Iterable[str] | None = None) -> list[Appended]:
    """Move what senders have left pending, in these streams or in any, and return the entries."""
    pending = PendingEntry.objects.order_by("stream").values_list("stream", flat=True).distinct()
    if streams is None:
        names = [*pending[:STREAMS]]
    else:
        names = [*pending.filter(stream__in=[*streams])]
    if not names:
        return []
    begin(names)
    return flush(names, skip_locked=streams is None)


def _append_one(connection: BaseDatabaseWrapper, outgoing: Outgoing) -> Appended | None:
    """Add one entry to a stream.

    Returns None where the stream does not exist yet, or where pending entries come first.
    PostgreSQL needs one statement for it, and no transaction that could be left open.
    """
    tag = new_tag()
    try:
        if statements.is_postgresql(connection):
            place = statements.append(connection, *outgoing, tag)
        else:
            with transaction.atomic(using=connection.alias):
                place = statements.append(connection, *outgoing, tag)
    except OperationalError as error:
        if statements.was_in_the_way(error):
            return None
        raise
    if not place:
        return None
    offset, previous = place
    text = frames.placed(outgoing.text, offset, tag)
    entries_appended.send_robust(Entry, texts=[text])
    return Appended(outgoing.stream, offset, tag, previous, text)


def _move(
    connection: BaseDatabaseWrapper,
    streams: Sequence[str],
    sent: list[Appended],
    *,
    also: Sequence[Outgoing] = (),
    skip_locked: bool = False,
) -> None:
    """Move pending entries into their streams, batch by batch, and add each batch to `sent`.

    `also` follows them in the last batch.
    """
    tries, is_last = TRIES, False
    while not is_last:
        try:
            entries, missing, is_last = _move_batch(connection, streams, also, skip_locked)
            if missing:
                # Not within the transaction that locks, which would then lock in another order.
                begin(missing)
        except OperationalError as error:
            tries -= 1
            if connection.in_atomic_block or not tries or not statements.was_in_the_way(error):
                raise
            continue
        sent += entries
        entries_appended.send_robust(Entry, texts=[entry.text for entry in entries])


def _move_batch(
    connection: BaseDatabaseWrapper,
    streams: Sequence[str],
    also: Sequence[Outgoing],
    skip_locked: bool,
) -> tuple[list[Appended], set[str], bool]:
    """Move one batch of pending entries into their streams.

    Returns its entries, the streams that do not exist yet, and whether it was the last batch.

    The streams are locked first, and what is pending is read by a second statement. A single one
    would miss what is committed while it waits for a lock.
    """
    is_outermost = not connection.in_atomic_block
    with transaction.atomic(using=connection.alias):
        if is_outermost:
            statements.bound(connection)
        ends = statements.lock_streams(connection, streams, skip_locked=skip_locked)
        missing = set() if skip_locked else set(streams) - ends.keys()
        if missing or not ends:
            return [], missing, not missing
        pending = statements.take_pending(connection, [*ends], BATCH)
        is_last = len(pending) < BATCH
        entries = _append_to(connection, ends, [*pending, *(also if is_last else ())])
    return entries, set(), is_last


def _append_to(
    connection: BaseDatabaseWrapper, ends: dict[str, End], outgoing: Iterable[tuple[str, str]]
) -> list[Appended]:
    """Write frames to the ends of locked streams, and return the entries in order."""
    entries, rows = [], []
    for stream, text in outgoing:
        stream_id, offset, previous, _ = ends[stream]
        offset, tag = offset + 1, new_tag()
        ends[stream] = stream_id, offset, tag, previous
        text = frames.placed(text, offset, tag)
        rows.append((stream_id, offset, tag, previous, text))
        entries.append(Appended(stream, offset, tag, previous, text))
    if rows:
        statements.extend(connection, rows, [*{ends[entry.stream] for entry in entries}])
    return entries


# The streams that a connection's transaction has sent to, for the first hook that runs after it.
_touched: WeakKeyDictionary[object, set[str]] = WeakKeyDictionary()


def _flush_after_commit(connection: BaseDatabaseWrapper, outgoing: Iterable[Outgoing]) -> None:
    """Flush what this transaction sends, once it has committed.

    Each broadcast registers a hook, because a savepoint that is rolled back takes its own along.
    The first that runs does the work of all.
    """
    _touched.setdefault(connection, set()).update(_streams_of(outgoing))

    def flush_and_publish() -> None:
        if streams := _touched.pop(connection, None):
            publish(messages_of(flush(streams)))

    # A function: Django 5.2 cannot name a partial in the log when a robust hook fails.
    transaction.on_commit(flush_and_publish, using=connection.alias, robust=True)


def _send_after_commit(alias: str, outgoing: Sequence[Outgoing]) -> None:
    """Send once the transaction of another database has committed.

    Nothing is written before, so a process that dies between that commit and this loses the frames.
    """
    transaction.on_commit(lambda: send_and_publish(outgoing), using=alias, robust=True)


def _other_transaction() -> str | None:
    """Return the alias of another database on which this thread is in a transaction, if any."""
    opened = connections.all(initialized_only=True)
    return next((each.alias for each in opened if each.in_atomic_block), None)


def _streams_of(outgoing: Iterable[Outgoing]) -> list[str]:
    return sorted({each.stream for each in outgoing})
