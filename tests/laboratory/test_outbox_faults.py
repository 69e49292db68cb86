"""What is sent in transactions is delivered once and in order, whatever becomes of its sender."""

import json

import pytest

from classroom import Client
from tests.laboratory.audience import Seat, seats
from tests.laboratory.faults import succeed
from tests.laboratory.faulty_sender import BROADCASTS
from tests.laboratory.laboratory import NUMBERS, Laboratory, run, steady
from tests.laboratory.publisher import Plan
from tests.laboratory.schedules import Fault, Schedule, repeated
from tests.laboratory.stacks import Stack
from tests.wire.fixtures import on_database, on_databases

pytestmark = pytest.mark.full

# A sender that waits for a lock for no more than 100 ms.
IMPATIENT = {"PGOPTIONS": "-c lock_timeout=100"}

AUDIENCE = seats(hall=10, side=3, alone=3)

LOSSY = (
    Fault(0.5, "slow_link", 1),
    Fault(2, "stall_link", 1),
    Fault(4, "cut_link", 0.5),
    Fault(5.5, "swallow_link", 1),
)
# Each with the database of the full lane.
FAULTS = [
    (
        "sqlite",
        Stack("daphne", "pubsub"),
        Schedule("senders are killed", repeated("kill_sender", 5, seconds=0, every=1)),
    ),
    (
        "postgresql",
        Stack("uvicorn", "core"),
        Schedule("a transaction is held", (Fault(0.5, "hold_sender", 2),)),
    ),
    (
        "postgresql",
        Stack("uvicorn", "pubsub"),
        Schedule("transactions cross", (Fault(0.5, "cross_sender"),)),
    ),
    (
        "sqlite",
        Stack("daphne", "core"),
        Schedule("clocks are wrong", (Fault(0.5, "misdate_sender"),)),
    ),
    (
        "sqlite",
        Stack("daphne", "pubsub"),
        Schedule("the way to Redis is slow and lossy", LOSSY),
    ),
    (
        "postgresql",
        Stack("uvicorn", "core"),
        Schedule("the way to Redis is lossy on core", LOSSY),
    ),
]


@on_databases(FAULTS)
async def test_every_reader_ends_with_everything(database, stack, schedule):
    result = await run(database, stack, schedule, steady(AUDIENCE, schedule))
    assert result.is_good, str(result)


@on_database("postgresql")
async def test_senders_that_die_are_completed_by_the_check_where_nobody_else_sends(database):
    schedule = Schedule("senders are killed", repeated("kill_sender", 5, seconds=0, every=1))
    result = await run(database, Stack(), schedule, silent(AUDIENCE))
    assert result.is_good, str(result)
    assert result.report.published == 5 * BROADCASTS


@on_database("postgresql")
async def test_next_sender_first_sends_what_one_that_died_has_left(database):
    settings = database | {"REALTIME_TAIL_CHECK_SECONDS": "3600"}
    async with Laboratory(settings, Stack()) as laboratory:
        await laboratory.assemble(silent(seats(alone=1)))
        client = await connected(laboratory)
        await client.receive()
        await laboratory.faults.kill_sender(Fault(0, "kill_sender"))
        await succeed(await laboratory.start_sender("tell"))
        assert await senders_of(client) == [1] * BROADCASTS
        assert await senders_of(client) == [2] * BROADCASTS
        await client.leave()
        await laboratory.perform()
        result = await laboratory.conclude()
    assert result.is_good, str(result)


async def test_others_send_and_are_read_while_a_transaction_that_has_sent_is_open(on_postgresql):
    """On PostgreSQL only, because SQLite has one writer."""
    async with Laboratory(on_postgresql, Stack()) as laboratory:
        await laboratory.assemble(silent(seats(alone=1)))
        client = await connected(laboratory)
        await client.receive()
        holder = await laboratory.start_sender("hold")
        assert await holder.word() == "held"
        other = await laboratory.start_sender("tell", **IMPATIENT)
        await succeed(other)
        # Numbers of the second sender: nothing of the first.
        assert await senders_of(client) == [2] * BROADCASTS
        holder.tell("commit")
        await succeed(holder)
        assert await senders_of(client) == [1] * BROADCASTS
        await client.leave()
        await laboratory.perform()
        result = await laboratory.conclude()
    assert result.is_good, str(result)
    assert result.report.delivered == 2 * BROADCASTS


@on_database("sqlite")
async def test_sender_with_a_wrong_clock_changes_nothing_about_what_is_pruned(database):
    """Some of its events are a month old by its own clock, and history is kept for a week."""
    async with Laboratory(database, Stack()) as laboratory:
        await laboratory.assemble(silent(seats(alone=1)))
        client = await connected(laboratory)
        position = (await client.receive())["position"]
        await client.leave()
        await succeed(await laboratory.start_sender("misdate"))
        await laboratory.hand.order("prune")
        back = await connected(laboratory, f"?position={position}")
        assert (await back.receive())["recovered"] is True
        assert await senders_of(back) == [1] * BROADCASTS
        await back.leave()


# Events go out for two seconds. From the second one on, the way to Redis swallows their messages.
SWALLOWED_TAIL = Schedule("the last messages vanish", (Fault(1, "swallow_link", 3),))


@pytest.mark.parametrize("seconds", [1, 3600], ids=["checked", "never checked"])
async def test_last_messages_that_vanish_are_found_by_the_periodic_check_alone(database, seconds):
    """Without the check they are lost, and the checker says so."""
    settings = database | {"REALTIME_TAIL_CHECK_SECONDS": str(seconds)}
    plan = Plan(AUDIENCE, [seat.stream for seat in AUDIENCE], events=200, every=0.01)
    result = await run(settings, Stack(silence=5), SWALLOWED_TAIL, plan)
    is_checked = seconds == 1
    assert result.is_good is is_checked, str(result)
    assert (result.report.count("lost") == 0) is is_checked, str(result)


def silent(audience: list[Seat]) -> Plan:
    """Return a plan in which the publisher sends nothing."""
    return Plan(audience, [], events=0)


async def connected(laboratory: Laboratory, query: str = "") -> Client:
    """Return a socket of the first reader's."""
    token, *_ = json.loads((laboratory.folder / "tokens.json").read_text())
    server = laboratory.servers[0].life
    return await Client.connect(f"{server.ws}/ws/notifications/{query}", token=token)


async def senders_of(client: Client) -> list[int]:
    frames = [await client.receive() for _ in range(BROADCASTS)]
    return [frame["notification"]["number"] // NUMBERS for frame in frames]
