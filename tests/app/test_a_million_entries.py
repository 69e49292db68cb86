"""In a long stream, what is read and pruned is found by the index."""

import pytest
from django.db import connection

from realtime.delivery.streams import PAGE, Place, _prune, reaches_back, read_after
from realtime.models import Entry, Stream
from realtime.tests.entries import append
from realtime.tests.test_streams import LONG

pytestmark = pytest.mark.django_db(transaction=True)

MILLION = 1_000_000
FILL = {
    "sqlite": """
        WITH RECURSIVE number(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < {count})
        INSERT INTO {table} (stream_id, "offset", tag, previous, frame)
        SELECT {stream}, n, 't', 't', '{{}}' FROM number
    """,
    "postgresql": """
        INSERT INTO {table} (stream_id, "offset", tag, previous, frame)
        SELECT {stream}, n, 't', 't', '{{}}' FROM generate_series(1, {count}) AS n;
        ANALYZE
    """,
}


@pytest.fixture
def million():
    """Return the id of a stream of a million entries, which the database makes itself."""
    append("other", {})
    stream = Stream.objects.create(name="million", head=MILLION, tag="t")
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


@pytest.mark.full
def test_in_a_million_entries_what_is_read_and_pruned_is_found_by_the_index(million):
    """The plan keeps a page under 10 ms; a figure of time belongs in the bench."""
    plans = plans_of(lambda: read_after("million", million, MILLION // 2))
    plans += plans_of(lambda: reaches_back(million, Place(MILLION // 2, "t")))
    plans += plans_of(lambda: _prune(million, 2 * PAGE, LONG))
    assert (
        len(plans) == 7
    )  # one page read, one entry looked for, three pages looked at, two deleted
    for plan in plans:
        assert "INDEX" in plan, plan
        assert not any(word in plan for word in ("SEQ SCAN", "SORT", "TEMP B-TREE")), plan
    assert read_after("million", million, 2 * PAGE)[0].offset == 2 * PAGE + 1
