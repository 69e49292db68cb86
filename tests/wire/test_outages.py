"""A database that is away, hangs, or is full: what requests and sockets are answered meanwhile."""

import asyncio
import contextlib
import os
import subprocess
import sys

import pytest

from realtime.deadlines import ANSWER_TIMEOUT
from tests.lanes import in_long_unless
from tests.wire.fixtures import PREPARE
from tests.wire.outages import FROZEN, FULL, STOPPED, Answer, Breakable, crowd
from tests.wire.postgresql import own_postgresql
from tests.wire.servers import COMMANDS, serving

pytestmark = pytest.mark.full

SOCKETS = 200
FAULTS = {"stopped": STOPPED, "frozen": FROZEN, "full": FULL}
LENGTHS = [10, pytest.param(90, marks=in_long_unless(False))]


@pytest.fixture(scope="module")
def breakable():
    """A PostgreSQL with few connections."""
    with own_postgresql(connections=40) as postgresql:
        yield Breakable(postgresql)


@pytest.fixture
def server(environment, breakable, redis_port):
    changed = environment | {"DATABASE_URL": breakable.url}
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


@pytest.mark.parametrize("seconds", LENGTHS)
@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
async def test_outage_is_answered_and_closes_no_socket_and_is_over_at_once(
    server, breakable, fault, seconds
):
    async with crowd(server, SOCKETS) as clients:
        await clients.all_is_well()
        posting = asyncio.create_task(clients.post_each_second())
        await asyncio.to_thread(getattr(breakable, fault.begin))
        before = len(clients.answers)
        await asyncio.wait([posting], timeout=seconds)
        await asyncio.to_thread(getattr(breakable, fault.end))
        async with asyncio.timeout(ANSWER_TIMEOUT):
            await clients.all_is_well()
        posting.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await posting
        refused = {answer for answer in clients.answers[before:] if answer.status != 202}
        assert refused
        assert refused <= {Answer(503, word, "5") for word in ("database_unavailable", "timed_out")}
        await clients.nothing_is_lost()
