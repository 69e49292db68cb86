"""One client of many stops reading, which concerns nobody else on any server."""

import asyncio
from pathlib import Path

import pytest

from tests.laboratory.audience import seats
from tests.laboratory.laboratory import Laboratory
from tests.laboratory.publisher import Plan
from tests.laboratory.schedules import CALM
from tests.laboratory.stacks import Stack
from tests.wire.servers import COMMANDS, eventually

pytestmark = pytest.mark.full

# So few that a busy machine serves all others in time: none of them may be called slow.
CLIENTS, EVENTS, STALLED = 10, 600, 5

# Events before one stops: by then the server's memory is what the others need.
BEFORE = 100

# Bytes of an event. The kernel takes 3 to 5 MB for a socket that nobody reads; an application
# that holds the rest grows by 22 MiB and more, as Daphne does by itself.
SIZE = 48_000
GROWTH_MIB = 9

# Memory of an event's size goes back to the system once nobody holds it; otherwise the C library
# keeps, for its next use, what a busy machine made a server hold for a while (mallopt(3)).
PROMPT = {"MALLOC_MMAP_THRESHOLD_": "8192"}

# Frames that a server lets a client miss, so that this one is closed before the end.
BEHIND = "400"


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="needs /proc to read memory")
@pytest.mark.parametrize("server", COMMANDS)
async def test_client_that_stops_reading_costs_the_others_and_the_server_nothing(
    environment, server
):
    """It is closed when it is too far behind, and ends with everything all the same."""
    settings = environment | PROMPT | {"REALTIME_MAX_BEHIND": BEHIND}
    plan = Plan(seats(CLIENTS), ["hall"], BEFORE + EVENTS, every=0.02, padding=SIZE)
    async with Laboratory(settings, Stack(server), CALM) as laboratory:
        await laboratory.assemble(plan, stalls=STALLED, stalls_after=BEFORE)
        performance = asyncio.create_task(laboratory.perform())
        assert await laboratory.readers.word() == "stalled"
        (server,) = laboratory.servers
        usual = server.memory()
        await performance
        # What is on its way to the others goes; what is held for the one would stay.
        await eventually(lambda: server.memory() - usual < GROWTH_MIB)
        result = await laboratory.conclude()
    assert result.report.is_good, result
    assert result.report.delivered == CLIENTS * (BEFORE + EVENTS)
    assert result.report.returns == 1  # the slow one's
