"""What is measured of a contender; each returns its figures by name."""

from tests.bench.event_source import HALL
from tests.bench.orders import ask
from tests.bench.stand import Stand
from tests.laboratory.audience import seats

EVENTS_PATH, NOTIFICATIONS_PATH = f"/ws/events/{HALL}/", "/ws/notifications/"

# Clients that come first, unmeasured: imports, caches and pools.
WARM_UP = 20

# Bytes of an event that nobody may have to hold: the kernel takes 3 to 5 MB for a socket.
LARGE = 12_000

# Seconds without a message after which none is waited for.
SILENCE = 6

Figures = dict[str, float]


async def fan_out(stand: Stand, sizes: list[int], deliveries: int) -> Figures:
    """Let more and more sockets come, and at each size send events to all of them.

    CPU of a connection and memory of a socket are taken while they come.
    """
    await stand.open(WARM_UP, EVENTS_PATH)
    await send_to_all(stand, WARM_UP, events=5)
    open_now, figures = WARM_UP, {}
    cpu, seconds, memory = 0.0, 0.0, stand.memory()
    for size in sizes:
        before = stand.cpu()
        seconds += (await stand.open(size - open_now, EVENTS_PATH))["seconds"]
        cpu += stand.cpu() - before
        open_now = size
        if size == sizes[-1]:
            figures["memory of a socket, KB"] = (stand.memory() - memory) / (size - WARM_UP)
        figures[f"CPU of a delivery to {size}, µs"] = await delivery(stand, size, deliveries)
    figures["CPU of a connection, ms"] = cpu / (open_now - WARM_UP) * 1e3
    figures["connections a second"] = (open_now - WARM_UP) / seconds
    return figures


async def delivery(stand: Stand, sockets: int, deliveries: int) -> float:
    """Return the CPU microseconds of one delivery of an event to all sockets."""
    events = max(1, deliveries // sockets)
    await send_to_all(stand, sockets, events=2)
    before = stand.cpu()
    received = await send_to_all(stand, sockets, events)
    assert received, f"{stand.contender} delivered nothing"
    return (stand.cpu() - before) / received * 1e6


async def send_to_all(stand: Stand, sockets: int, events: int) -> int:
    """Send events, each when all have received the last one; return how many deliveries came."""
    received = 0
    for _ in range(events):
        await ask(stand.crowd, "expect", messages=sockets)
        await stand.send_one()
        received += (await ask(stand.crowd, "all", silence=SILENCE))["received"]
    return received


async def one_each(stand: Stand, users: int, senders: list[int]) -> Figures:
    """Notify each of many users once, by one sender and by more at a time."""
    await stand.open(users, NOTIFICATIONS_PATH)
    subjects, figures = [seat.subject for seat in seats(hall=users)], {}
    for number in senders:
        await ask(stand.crowd, "expect", messages=users)
        before = stand.cpu()
        sent = await ask(stand.sender, "notify", subjects=subjects, senders=number)
        got = await ask(stand.crowd, "all", silence=SILENCE)
        by = f"{users} notified by {number}"
        figures[f"{by}: lost, %"] = 100 * (1 - got["received"] / users)
        figures[f"{by}: CPU of each, µs"] = (stand.cpu() - before) / max(1, got["received"]) * 1e6
        figures[f"{by}: each second"] = got["received"] / (got["last_at"] - sent["began_at"])
    return figures


async def storm(stand: Stand, clients: int, seconds: float) -> Figures:
    """Let many come at once, where it takes 20 ms to look up who may listen."""
    answer = await ask(stand.crowd, "storm", number=clients, path=EVENTS_PATH, seconds=seconds)
    by = f"storm of {clients}"
    return {
        f"{by}: greeted at first, %": 100 * answer["at_first"] / clients,
        f"{by}: greeted, %": 100 * answer["greeted"] / clients,
        f"{by}: the last after, s": answer["seconds"],
    }


async def stalled(stand: Stand, clients: int, events: int, every: float) -> Figures:
    """Have one of many clients read no more, and compare what the others have to wait."""
    await stand.open(clients, EVENTS_PATH)
    await send_to_all(stand, clients, events=10)
    usual = await slowest(stand, clients, events, every)
    await ask(stand.crowd, "stall", member=clients // 2)
    beside = await slowest(stand, clients - 1, events, every)
    return {
        "p99 of the latency, ms": usual * 1e3,
        "p99 beside a client that reads no more, ms": beside * 1e3,
    }


async def slowest(stand: Stand, readers: int, events: int, every: float) -> float:
    """Return the 99th percentile of the seconds that a message is on its way."""
    await ask(stand.crowd, "expect", messages=readers * events)
    await ask(stand.crowd, "time")
    await ask(stand.sender, "event", number=events, every=every, padding=LARGE)
    await ask(stand.crowd, "all", silence=SILENCE)
    return (await ask(stand.crowd, "percentile", percent=99))["seconds"]
