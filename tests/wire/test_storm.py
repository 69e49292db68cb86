"""Many who connect at the same moment, as after a restart, while each look-up takes 20 ms."""

import pytest

from tests.bench.contenders import reference
from tests.bench.scenarios import EVENTS_PATH, NOTIFICATIONS_PATH, ask
from tests.bench.slow_membership import ASKED
from tests.bench.stand import House, Stand
from tests.lanes import in_long_unless
from tests.wire.servers import COMMANDS

pytestmark = pytest.mark.full

CLIENTS = 500

# Seconds in which all are to be greeted; one that is refused comes back.
PATIENCE = 60

# Queries of members at most. One for each client would take 10 s, and Daphne drops one after 5.
QUERIES = CLIENTS // 10


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    house = House(tmp_path_factory.mktemp("house"), CLIENTS)
    house.build()
    return house


async def greeted(house, contender, path) -> tuple[int, int]:
    """Let all come at once, and return how many were greeted and how often members were read."""
    slow = {
        "SERVED": "tests.bench.slow_membership:application",
        "APPLICATION": contender.stack.application,
    }
    async with Stand(house, contender, **slow) as stand:
        answer = await ask(stand.crowd, "storm", number=CLIENTS, path=path, seconds=PATIENCE)
        return answer["greeted"], stand.server.life.log.count(f"{ASKED}\n")


# Of many streams, the full lane asks the project's own server.
STORMS = [
    *(pytest.param(name, EVENTS_PATH, id=f"{name}-one stream") for name in COMMANDS),
    *(
        pytest.param(
            *(name, NOTIFICATIONS_PATH),
            id=f"{name}-many",
            marks=in_long_unless(name == "realtime.server"),
        )
        for name in COMMANDS
    ),
]


@pytest.mark.parametrize(("server", "path"), STORMS)
async def test_storm_of_500_is_let_in(house, server, path):
    """They share queries, so that all are let in before their time is over."""
    all_of_them, queries = await greeted(house, reference(server, "pubsub"), path)
    assert all_of_them == CLIENTS
    assert (0 < queries <= QUERIES) if path == EVENTS_PATH else queries == 0


async def test_storm_of_500_streams_does_not_exhaust_the_layer(house):
    """The core layer's pool ends at 100 connections, and raises."""
    contender = reference("uvicorn", "core")
    assert (await greeted(house, contender, NOTIFICATIONS_PATH))[0] == CLIENTS
