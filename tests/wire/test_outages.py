"""A database that is away, hangs, or is full: what requests and sockets are answered meanwhile."""

import os
import subprocess
import sys
from contextlib import contextmanager
from types import SimpleNamespace

import pytest

from tests.lanes import in_long_unless
from tests.wire.fixtures import PREPARE
from tests.wire.outages import (
    Answer,
    Fault,
    FullPostgreSQL,
    SQLiteFile,
    crowd,
    small_disk,
)
from tests.wire.postgresql import own_postgresql
from tests.wire.servers import COMMANDS, serving

pytestmark = pytest.mark.full

SOCKETS = 200
LENGTHS = [10, pytest.param(90, marks=in_long_unless(False))]

# How a request may be refused while the database is away, and nothing else.
REFUSED = {Answer(503, word, "5") for word in ("database_unavailable", "timed_out")}


@contextmanager
def served_on(url, environment, redis_port):
    """Serve the reference app on a database, in which it prepares what it needs."""
    changed = environment | {"DATABASE_URL": url}
    subprocess.run([sys.executable, "-c", PREPARE], env=os.environ | changed, check=True)
    changed |= {
        "REDIS_HOST": "127.0.0.1",
        "REDIS_PORT": str(redis_port),
        # All checks come often, so that each of them meets the outage.
        "REALTIME_RECHECK_SECONDS": "2",
        "REALTIME_TAIL_CHECK_SECONDS": "1",
        "REALTIME_SOCKETS_PER_USER": str(2 * SOCKETS),
    }
    with serving([*COMMANDS["realtime.server"], "config.asgi:application"], **changed) as server:
        yield server


@pytest.fixture(scope="module")
def on_postgresql(environment, redis_port):
    """A server on a PostgreSQL with few connections."""
    with own_postgresql(connections=40) as postgresql:
        with served_on(postgresql.url, environment, redis_port) as server:
            yield SimpleNamespace(
                server=server, postgresql=postgresql, connections=FullPostgreSQL(postgresql)
            )


@pytest.fixture(scope="module")
def on_sqlite(environment, redis_port, tmp_path_factory):
    """A server on an SQLite file on a small disk."""
    folder = tmp_path_factory.mktemp("disk")
    with small_disk(folder):
        file = SQLiteFile(folder)
        with served_on(file.url, environment, redis_port) as server:
            yield SimpleNamespace(server=server, file=file)


POSTGRESQL = {
    "stopped": ("postgresql", Fault("stop", "start")),
    "frozen": ("postgresql", Fault("freeze", "thaw")),
    "full": ("connections", Fault("fill", "empty")),
}
SQLITE = {
    "locked": ("file", Fault("lock", "release")),
    "disk full": ("file", Fault("fill", "empty")),
}


async def assert_outage_is_met(stage, fault, sockets, seconds):
    part, fault = fault
    async with crowd(stage.server, sockets) as clients:
        await clients.all_is_well()
        refused = await clients.meet(getattr(stage, part), fault, seconds)
        assert refused
        assert refused <= REFUSED
        await clients.nothing_is_lost()


@pytest.mark.parametrize("seconds", LENGTHS)
@pytest.mark.parametrize("fault", POSTGRESQL.values(), ids=POSTGRESQL)
async def test_outage_of_postgresql_closes_no_socket_and_is_over_at_once(
    on_postgresql, fault, seconds
):
    await assert_outage_is_met(on_postgresql, fault, SOCKETS, seconds)


@pytest.mark.parametrize("fault", SQLITE.values(), ids=SQLITE)
async def test_outage_of_sqlite_closes_no_socket_and_is_over_at_once(on_sqlite, fault):
    await assert_outage_is_met(on_sqlite, fault, 50, seconds=10)


async def test_crash_of_postgresql_closes_no_socket_and_loses_nothing(on_postgresql):
    async with crowd(on_postgresql.server, SOCKETS) as clients:
        await clients.all_is_well()
        refused = await clients.meet(on_postgresql.postgresql, Fault("crash", "start"), 0)
        assert refused <= REFUSED
        await clients.nothing_is_lost()
