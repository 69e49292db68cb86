"""Much at once, and nothing after it: what a channel layer loses without a word."""

import time

import pytest

from api.consumers import broadcast_notification
from devrealm.accounts import PEOPLE
from tests.laboratory.audience import seats
from tests.laboratory.laboratory import run
from tests.laboratory.publisher import Plan
from tests.laboratory.schedules import CALM
from tests.laboratory.stacks import Stack
from tests.lanes import in_long_unless
from tests.wire.fixtures import layer_on
from tests.wire.servers import COMMANDS, free_port, serving

pytestmark = pytest.mark.full

ALICE = PEOPLE["alice"].subject

# Each layer, and each server once.
STACKS = [
    Stack("uvicorn", "pubsub"),
    Stack("daphne", "core", settings="tests.wire.variants.capacity_of_a_hundred"),
]


def on_layer(main: str) -> pytest.MarkDecorator:
    """Have the full lane run a test on the stack with one layer, and the long lane on the other."""
    params = [
        pytest.param(stack, id=str(stack), marks=in_long_unless(stack.layer == main))
        for stack in STACKS
    ]
    return pytest.mark.parametrize("stack", params)


@on_layer("pubsub")
async def test_thousand_sends_in_a_row_all_arrive(environment, stack):
    plan = Plan(seats(alone=1), ["reader-0"], events=1_000)
    result = await run(environment, stack, CALM, plan)
    assert result.report.is_good, result
    assert result.report.delivered == 1_000


@on_layer("core")
async def test_fifty_senders_at_once_reach_each_of_thousand_users(environment, stack):
    """From another process, through `async_to_sync`; without a log the core layer lost 88 %."""
    audience = seats(alone=1_000)
    plan = Plan(audience, [seat.stream for seat in audience], events=1_000, threads=50)
    result = await run(environment, stack, CALM, plan)
    assert result.report.is_good, result
    assert result.report.delivered == 1_000


@on_layer("pubsub")
async def test_fifty_senders_at_once_to_one_user_all_arrive_in_order(environment, stack):
    plan = Plan(seats(alone=1), ["reader-0"], events=500, threads=50)
    result = await run(environment, stack, CALM, plan)
    assert result.report.is_good, result
    assert result.report.delivered == 500


@pytest.fixture(params=["pubsub", "core"])
def layer(request):
    return request.param


@pytest.fixture
def server(environment, own_redis, layer):
    """A server on a Redis of its own, that checks the tails of its streams each second."""
    settings = {
        "REDIS_HOST": "127.0.0.1",
        "REDIS_PORT": str(own_redis.port),
        "CHANNEL_LAYER": layer,
        "REALTIME_TAIL_CHECK_SECONDS": "1",
    }
    with serving([*COMMANDS["daphne"], "config.asgi:application"], **environment, **settings) as it:
        yield it


async def test_lost_last_message_of_a_burst_is_found_with_nothing_sent_after_it(
    server, layer, own_redis, connect, shared_database
):
    alice = await connect(server, "/ws/notifications/", "alice")
    first = (await alice.receive())["offset"] + 1
    async with layer_on(own_redis.port, layer):
        for number in range(20):
            await broadcast_notification(ALICE, {"number": number})
    # The last one is committed, and its message goes nowhere.
    async with layer_on(free_port(), layer):
        await broadcast_notification(ALICE, {"number": 20})
    sent_at = time.monotonic()
    frames = [await alice.receive() for _ in range(21)]
    # The interval is a second, and reading takes a moment.
    assert time.monotonic() - sent_at < 2
    assert [frame["notification"]["number"] for frame in frames] == [*range(21)]
    assert [frame["offset"] for frame in frames] == [*range(first, first + 21)]


@pytest.mark.parametrize("harm", ["kill", "freeze"])
async def test_broadcast_without_redis_is_soon_over_and_comes_when_redis_is_back(
    server, layer, own_redis, connect, shared_database, harm
):
    alice = await connect(server, "/ws/notifications/", "alice")
    await alice.receive()
    async with layer_on(own_redis.port, layer):
        await broadcast_notification(ALICE, {"title": "before"})
        getattr(own_redis, harm)()
        begin = time.monotonic()
        await broadcast_notification(ALICE, {"title": "without"})
        # A layer that does not answer is given 2 s.
        assert time.monotonic() - begin < 2.5
        {"kill": own_redis.start, "freeze": own_redis.thaw}[harm]()
    titles = [(await alice.receive())["notification"]["title"] for _ in range(2)]
    assert titles == ["before", "without"]
