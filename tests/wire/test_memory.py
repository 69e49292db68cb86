"""What a server holds when its clients have gone."""

import asyncio
from collections import Counter
from functools import cache
from itertools import cycle, islice

import pytest

from demo.people import ORG_ID
from devrealm.issue import access_token
from tests.bench.guest import Guest
from tests.wire.servers import COMMANDS, eventually, serving
from tests.wire.variants.says_what_it_holds import BLOCKS

pytestmark = pytest.mark.full

APPLICATION = "tests.wire.variants.says_what_it_holds:application"

# Clients of each kind, and how many come at the same time.
CLIENTS, AT_ONCE = 100, 10

# What a server has while a client is there. Daphne forgets a client a second after it has gone.
OF_A_CLIENT = [
    "api.consumers.NotificationConsumer",
    "api.consumers.OrganizationEventsConsumer",
    "realtime.server.websocket.WebSocket",
    "uvicorn.protocols.websockets.websockets_sansio_impl.WebSocketsSansIOProtocol",
]

EVENTS, NOTIFICATIONS = f"/ws/events/{ORG_ID}/", "/ws/notifications/"


@pytest.fixture(params=["realtime.server", "uvicorn"])
def server(request, environment, redis_port):
    redis = {"REDIS_HOST": "127.0.0.1", "REDIS_PORT": str(redis_port)}
    with serving([*COMMANDS[request.param], APPLICATION], **environment, **redis) as server:
        yield server


async def ping_and_leave(port):
    guest = await let_in(port, EVENTS)
    guest.say({"type": "ping"})
    assert await guest.answer("pong")
    await guest.leave()


async def vanish(port):
    (await let_in(port, NOTIFICATIONS)).vanish()


async def resume(port):
    guest = await let_in(port, NOTIFICATIONS)
    guest.vanish()
    (await let_in(port, f"{NOTIFICATIONS}?position={guest.greeting['position']}")).vanish()


async def babble(port):
    guest = await let_in(port, EVENTS)
    for _ in range(12):
        guest.say("{")
    await guest.ended()


async def be_refused(port):
    guest = Guest(port, EVENTS, "nonsense")
    await guest.come()
    await guest.ended()


async def let_in(port, path):
    guest = Guest(port, path, the_token())
    guest.greeting = await guest.come()
    assert guest.greeting["type"] == "connection.established"
    return guest


@cache
def the_token():
    """Return one token for all, because the server remembers the last thousand tokens."""
    return access_token("alice", lifespan=3_600)


KINDS = [ping_and_leave, vanish, resume, babble, be_refused]


async def test_clients_that_have_gone_leave_nothing_behind(server):
    """Queries that DEBUG logs, for one, were 13 blocks for each client."""
    await come_and_go(server.port)  # imports, caches and threads
    before = await held_at_rest(server)
    await come_and_go(server.port)
    after = await held_at_rest(server)
    more = {name: number - before[name] for name, number in after.items()}
    assert more.pop(BLOCKS) < CLIENTS * len(KINDS)
    assert {name: number for name, number in more.items() if number >= CLIENTS} == {}


async def come_and_go(port):
    """Let clients of each kind come, in turn, and wait until they have gone."""
    turns = cycle(KINDS)

    async def take_turns():
        for kind in islice(turns, CLIENTS * len(KINDS) // AT_ONCE):
            await kind(port)

    await asyncio.gather(*(take_turns() for _ in range(AT_ONCE)))


async def held_at_rest(server) -> Counter[str]:
    """Return what the server holds, once it has forgotten the last of its clients."""
    held = Counter()

    async with server.requests() as http:

        async def is_alone():
            held.clear()
            held.update((await http.get("/held/")).json())
            return not any(held[name] for name in OF_A_CLIENT)

        await eventually(is_alone)
    return held


async def test_garbage_collector_passes_over_what_a_server_has_at_its_start(environment):
    application = "tests.wire.variants.holds_all:application"
    with serving([*COMMANDS["realtime.server"], application], **environment) as server:
        async with server.requests() as http:
            assert int((await http.get("/")).text) > 10_000
