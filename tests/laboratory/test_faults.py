"""Nothing is lost in any fault, each in short; the long run is `tests.laboratory.long_run`."""

from dataclasses import replace

import pytest

from tests.laboratory.audience import seats
from tests.laboratory.laboratory import run, steady
from tests.laboratory.schedules import Fault, Schedule, at_random, in_turn, repeated
from tests.laboratory.stacks import Stack, guide

pytestmark = pytest.mark.full

AUDIENCE = seats(hall=20, side=3, alone=3)

CUTS = Schedule("two cuts of 2 s", repeated("cut_network", 2, seconds=2, every=2.5))

FAULTS = [
    (Stack("daphne", "pubsub"), Schedule("Redis is killed", (Fault(0.5, "kill_redis", 1),))),
    # Longer than a broadcast waits for it.
    (Stack("uvicorn", "core"), Schedule("Redis is frozen", (Fault(0.5, "freeze_redis", 3),))),
    (Stack("daphne", "core"), Schedule("Redis is flushed", (Fault(0.5, "flush_redis"),))),
    (Stack("uvicorn", "pubsub"), Schedule("server is killed", (Fault(0.5, "kill_server", 0.2),))),
    (Stack("daphne", "pubsub"), CUTS),
    (Stack("uvicorn", "core"), at_random(7, seconds=3)),
]


@pytest.mark.parametrize(
    ("stack", "schedule"), FAULTS, ids=[schedule.name for _, schedule in FAULTS]
)
async def test_every_reader_ends_with_everything(environment, stack, schedule):
    result = await run(environment, stack, schedule, steady(AUDIENCE, schedule))
    assert result.report.is_good, result
    assert result.caught_up_after is not None, result
    if schedule.hits("network") or schedule.hits("server"):
        assert result.report.returns >= len(AUDIENCE) - 1, result


async def test_two_servers_restart_in_turn_under_200_clients(environment):
    """An event goes out every 10 ms, and 200 clients hear each."""
    schedule = Schedule("restart in turn", in_turn(2, rounds=1, every=2))
    plan = steady(seats(hall=200), schedule, every=0.01)
    result = await run(environment, Stack("daphne", "pubsub", servers=2), schedule, plan)
    assert result.report.is_good, result
    assert result.report.expected == 200 * plan.events
    assert result.report.returns >= 200, result


async def test_guide_as_written_loses_what_is_sent_while_the_network_is_cut(environment):
    """The same readers and the same cuts; the checker is not one that finds nothing."""
    result = await run(environment, replace(guide(), silence=2), CUTS, steady(AUDIENCE, CUTS))
    assert result.caught_up_after is None
    assert result.report.count("lost") > 0
    assert result.report.share < 90, result
