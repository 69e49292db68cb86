"""What is sent in transactions is delivered once and in order, whatever becomes of its sender."""

import pytest

from tests.wire.audience import seats
from tests.wire.laboratory import run, steady
from tests.wire.schedules import Fault, Schedule, repeated
from tests.wire.stacks import Stack

AUDIENCE = seats(hall=10, side=3, alone=3)

LOSSY = (
    Fault(0.5, "slow_link", 1),
    Fault(2, "stall_link", 1),
    Fault(4, "cut_link", 0.5),
    Fault(5.5, "swallow_link", 1),
)
FAULTS = [
    (
        Stack("daphne", "pubsub"),
        Schedule("senders are killed", repeated("kill_sender", 5, seconds=0, every=1)),
    ),
    (Stack("uvicorn", "core"), Schedule("a transaction is held", (Fault(0.5, "hold_sender", 2),))),
    (Stack("uvicorn", "pubsub"), Schedule("transactions cross", (Fault(0.5, "cross_sender"),))),
    (Stack("daphne", "core"), Schedule("clocks are wrong", (Fault(0.5, "misdate_sender"),))),
    (Stack("daphne", "pubsub"), Schedule("the way to Redis is slow and lossy", LOSSY)),
    (Stack("uvicorn", "core"), Schedule("the way to Redis is lossy on core", LOSSY)),
]


@pytest.mark.parametrize(
    ("stack", "schedule"), FAULTS, ids=[schedule.name for _, schedule in FAULTS]
)
async def test_every_reader_ends_with_everything(database, stack, schedule):
    result = await run(database, stack, schedule, steady(AUDIENCE, schedule))
    print(result)
    assert result.report.is_good, result
    assert result.caught_up_after is not None, result
