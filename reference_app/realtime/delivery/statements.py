"""The SQL of sending and of reading history, for PostgreSQL and for SQLite.

The ORM builds each of these for longer than the database needs to run it: an append through the ORM
took 2.7 ms on PostgreSQL and 0.66 on SQLite, by these statements it takes 1.0 and 0.15.
"""

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any

from django.db import OperationalError
from django.db.backends.base.base import BaseDatabaseWrapper

from ..deadlines import LOCK_TIMEOUT
from ..models import Entry, PendingEntry, Stream
from ..protocol import frames

# Where a stream ends: the id of its row, head, tag, and the tag before.
End = tuple[int, int, str, str]

# An entry: the id of the stream, offset, tag, the tag of the entry before, and frame.
Row = tuple[int, int, str, str, str]

Values = Sequence[Any] | Mapping[str, Any]

STREAM, ENTRY, PENDING = (f'"{model._meta.db_table}"' for model in (Stream, Entry, PendingEntry))

INTO_ENTRY = f'{ENTRY} (stream_id, "offset", tag, previous, frame)'

# PostgreSQL sends all rows of an answer, so those beyond the bytes of a page come without frames.
READ_POSTGRESQL = f"""
    SELECT "offset", tag, previous,
        CASE WHEN size <= %(longest)s AND total - size < %(most)s THEN frame ELSE '' END, size
    FROM (
        SELECT "offset", tag, previous, frame, OCTET_LENGTH(frame) AS size,
            SUM(OCTET_LENGTH(frame)) OVER (ORDER BY "offset" ROWS UNBOUNDED PRECEDING) AS total
        FROM {ENTRY} WHERE stream_id = %(stream_id)s AND "offset" > %(offset)s
        ORDER BY "offset" LIMIT %(rows)s
    ) AS page
"""
# SQLite reads row by row, as they are taken. It has OCTET_LENGTH since version 3.43.
READ_SQLITE = f"""
    SELECT "offset", tag, previous,
        CASE WHEN LENGTH(CAST(frame AS BLOB)) <= %(longest)s THEN frame ELSE '' END,
        LENGTH(CAST(frame AS BLOB))
    FROM {ENTRY} WHERE stream_id = %(stream_id)s AND "offset" > %(offset)s
    ORDER BY "offset" LIMIT %(rows)s
"""

# The longest that moving frames may wait for another transaction, and that other transactions wait
# where the process that moves them has been stopped.
BOUNDS = f"""
    SET LOCAL lock_timeout = '{LOCK_TIMEOUT}s';
    SET LOCAL idle_in_transaction_session_timeout = '5s';
"""

# PostgreSQL's codes: lock_not_available; serialization_failure and deadlock_detected.
LOCKED, IN_THE_WAY = {"55P03"}, {"40001", "40P01"}

MOVE_HEAD = f"""
    UPDATE {STREAM} SET head = head + 1, previous = tag, tag = %(tag)s
    WHERE name = %(stream)s AND NOT EXISTS (SELECT 1 FROM {PENDING} WHERE stream = %(stream)s)
    RETURNING id, head, previous
"""
# One statement, which a process that is stopped cannot leave half done.
APPEND = f"""
    WITH place AS ({MOVE_HEAD})
    INSERT INTO {INTO_ENTRY}
    SELECT id, head, %(tag)s, previous,
        %(start)s || head::text || %(middle)s || head::text || %(end)s FROM place
    RETURNING "offset", previous
"""


def is_postgresql(connection: BaseDatabaseWrapper) -> bool:
    return connection.vendor == "postgresql"


def bound(connection: BaseDatabaseWrapper) -> None:
    """Let the transaction that begins see what others commit, and hold its locks only briefly."""
    if is_postgresql(connection):
        _run(connection, f"SET TRANSACTION ISOLATION LEVEL READ COMMITTED; {BOUNDS}")


def append(
    connection: BaseDatabaseWrapper, stream: str, text: str, tag: str
) -> tuple[int, str] | None:
    """Add an entry to a stream, and return its offset and the tag of the entry before.

    Returns None where there is no such stream, or where pending entries come first. On SQLite it
    has to be called in a transaction.
    """
    if is_postgresql(connection):
        start, middle, end = frames.around_offsets(text, tag)
        values = {"stream": stream, "tag": tag, "start": start, "middle": middle, "end": end}
        return next(iter(_rows(connection, APPEND, values)), None)
    for stream_id, offset, previous in _rows(connection, MOVE_HEAD, {"stream": stream, "tag": tag}):
        frame = frames.placed(text, offset, tag)
        add_entries(connection, [(stream_id, offset, tag, previous, frame)])
        return offset, previous
    return None


def add_pending(connection: BaseDatabaseWrapper, pairs: Sequence[tuple[str, str]]) -> None:
    """Add pairs of stream and text to what waits for a place."""
    _insert(connection, f"{PENDING} (stream, frame)", pairs)


def lock_streams(
    connection: BaseDatabaseWrapper, names: Sequence[str], *, skip_locked: bool
) -> dict[str, End]:
    """Lock streams in the order of their names.

    Returns id, head, tag and the tag before of each that exists, by its name.
    """
    some, place = _places(names), "name, id, head, tag, previous"
    if is_postgresql(connection):
        lock = "FOR UPDATE SKIP LOCKED" if skip_locked else "FOR UPDATE"
        sql = f"SELECT {place} FROM {STREAM} WHERE name IN {some} ORDER BY name {lock}"
    else:
        # A write, because a transaction of SQLite's that has read may not be able to write.
        sql = f"UPDATE {STREAM} SET head = head WHERE name IN {some} RETURNING {place}"
    return {name: tuple(place) for name, *place in _rows(connection, sql, names)}


def take_pending(
    connection: BaseDatabaseWrapper, names: Sequence[str], most: int
) -> list[tuple[str, str]]:
    """Delete the first pending entries of some streams, and return their streams and texts.

    What is deleted is what was read: their numbers are in the order of sending, and not of commits.
    """
    first = f"SELECT id FROM {PENDING} WHERE stream IN {_places(names)} ORDER BY id LIMIT %s"
    sql = f"DELETE FROM {PENDING} WHERE id IN ({first}) RETURNING id, stream, frame"
    rows = sorted(_rows(connection, sql, [*names, most]))
    return [(stream, text) for _, stream, text in rows]


def add_entries(connection: BaseDatabaseWrapper, rows: Sequence[Row]) -> None:
    """Add entries to their streams.

    A row has the id of the stream, offset, tag, tag of the entry before, and frame.
    """
    _insert(connection, INTO_ENTRY, rows)


def extend(
    connection: BaseDatabaseWrapper,
    rows: Sequence[Row],
    ends: Sequence[End],
) -> None:
    """Add entries to locked streams, and set where these end.

    A row is as in `add_entries`. An end has the id of the stream, head, tag, and the tag before.
    """
    if is_postgresql(connection):
        # One statement, because every further one prolongs the lock that other senders wait for.
        moved = f"""
            UPDATE {STREAM} AS stream SET head = ends.head, tag = ends.tag, previous = ends.previous
            FROM (VALUES {_rows_of_places(ends)}) AS ends (id, head, tag, previous)
            WHERE stream.id = ends.id
        """
        sql = f"WITH moved AS ({moved}) INSERT INTO {INTO_ENTRY} VALUES {_rows_of_places(rows)}"
        _run(connection, sql, [*chain(*ends, *rows)])
    else:
        add_entries(connection, rows)
        sql = f"UPDATE {STREAM} SET head = %s, tag = %s, previous = %s WHERE id = %s"
        places = [(head, tag, previous, stream_id) for stream_id, head, tag, previous in ends]
        with connection.cursor() as cursor:
            cursor.executemany(sql, places)


def read_after(
    connection: BaseDatabaseWrapper, stream_id: int, offset: int, rows: int, most: int, longest: int
) -> list[tuple[int, str, str, str, int]]:
    """Read a page of entries, which ends where it has so many rows, or `most` bytes of frames.

    An entry is offset, tag, the tag before, frame and its bytes. A frame of more bytes than
    `longest` stays in the database, and "" stands for it.
    """
    sql = READ_POSTGRESQL if is_postgresql(connection) else READ_SQLITE
    values = {"stream_id": stream_id, "offset": offset, "rows": rows}
    page: list[tuple[int, str, str, str, int]] = []
    total = 0
    with connection.cursor() as cursor:
        cursor.execute(sql, values | {"most": most, "longest": longest})
        for row in cursor:
            page.append(row)
            total += row[-1]
            if total >= most:
                break
    return page


def was_locked(error: OperationalError) -> bool:
    """Whether a statement waited for a lock for longer than it may."""
    return _code(error) in LOCKED


def was_in_the_way(error: OperationalError) -> bool:
    """Whether another transaction was in the way, so that it can be tried again."""
    return _code(error) in IN_THE_WAY


def _code(error: OperationalError) -> str | None:
    """Return PostgreSQL's code of an error, as psycopg 3 or psycopg 2 names it."""
    cause = error.__cause__
    return getattr(cause, "sqlstate", None) or getattr(cause, "pgcode", None)


def _insert(connection: BaseDatabaseWrapper, into: str, rows: Sequence[Sequence[Any]]) -> None:
    _run(connection, f"INSERT INTO {into} VALUES {_rows_of_places(rows)}", [*chain(*rows)])


def _rows_of_places(rows: Sequence[Sequence[Any]]) -> str:
    return ", ".join([_places(rows[0])] * len(rows))


def _places(values: Sequence[Any]) -> str:
    return f"({', '.join(['%s'] * len(values))})"


def _rows(connection: BaseDatabaseWrapper, sql: str, values: Values) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows


def _run(connection: BaseDatabaseWrapper, sql: str, values: Values | None = None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
