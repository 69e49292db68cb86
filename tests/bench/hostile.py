"""Measures what hostile clients cost a server, and the client beside them.

    python -m tests.bench.hostile                        every attack, on two servers
    python -m tests.bench.hostile --clients 50 silent    one attack, with fewer clients

Needs Linux and a redis-server, as the bench does.
"""

import argparse
import asyncio
import json
import os
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from websockets.asyncio.client import connect

from tests.bench import process
from tests.bench.attacks import ATTACKS, EVENTS
from tests.bench.contenders import reference
from tests.bench.orders import ask
from tests.bench.scenarios import WARM_UP
from tests.bench.stand import House, Stand
from tests.laboratory.child import Child
from tests.wire.hostile import Footprint, footprint, neighbor
from tests.wire.servers import ServerProcess

# Seconds of an attack, and pings of the neighbor before it.
LASTS, PINGS = 20, 200

# The history that is resumed: frames, and bytes of each.
FRAMES, BYTES = 500, 60_000

# Seconds after an attack in which everything should be released.
RELEASED_WITHIN = 30

HEAD = (
    "| attack | server | memory, MiB | after it | files | after it | ping p99, ms | under it |\n"
    "|---|---|---|---|---|---|---|---|"
)


class Cost(NamedTuple):
    """What an attack has cost, by what was there before, at its worst, and after it."""

    before: Footprint
    most: Footprint
    after: Footprint
    p99_before: float
    p99: float

    def row(self, attack: str, server: str) -> str:
        words = [
            f"{measured - before:+.0f}"
            for field in ("memory_mib", "descriptors")
            for before in [getattr(self.before, field)]
            for measured in (getattr(self.most, field), getattr(self.after, field))
        ]
        words += [f"{seconds * 1000:.0f}" for seconds in (self.p99_before, self.p99)]
        # Twice as long and 100 ms more is what a neighbor may notice.
        slow = " (slow)" if self.p99 > 2 * self.p99_before + 0.1 else ""
        return f"| {' | '.join([attack, server, *words])}{slow} |"


async def measure(stand: Stand, attack: str, clients: int, position: str) -> Cost:
    """Run one attack beside a neighbor."""
    server = stand.server.life
    hostile = Child("tests.bench.attacks", attack, server.port, clients, stand.house.tokens)
    _, others = process.cores()
    with process.pinned(others):
        async with neighbor(server, tokens(stand)[-1]) as pings:
            await pings.more(PINGS)
            p99_before, before = pings.p99, footprint(server)
            pings.start_again()
            environment = stand.environment | {"POSITION": position}
            await hostile.start(environment, stand.house.folder / "hostile.log")
            most = await worst(server)
            p99 = pings.p99
            await hostile.kill()
            return Cost(before, most, await released(server, before), p99_before, p99)


async def worst(server: ServerProcess) -> Footprint:
    """Return the most of each figure that the server holds during the attack."""
    seen, end = [footprint(server)], time.monotonic() + LASTS
    while time.monotonic() < end:
        await asyncio.sleep(0.1)
        seen.append(footprint(server))
    return Footprint(*map(max, zip(*seen, strict=True)))


async def released(server: ServerProcess, before: Footprint) -> Footprint:
    """Wait until the server has let go of its clients, and return what it holds then."""
    end = time.monotonic() + RELEASED_WITHIN
    most = before.descriptors + WARM_UP
    while footprint(server).descriptors > most and time.monotonic() < end:  # noqa: ASYNC110
        await asyncio.sleep(0.5)
    return footprint(server)


def tokens(stand: Stand) -> list[str]:
    return json.loads(stand.house.tokens.read_text())


async def fill(stand: Stand) -> str:
    """Send a history to the organization, and return the position before it."""
    headers = {"Authorization": f"Bearer {tokens(stand)[-1]}"}
    address = f"ws://127.0.0.1:{stand.server.port}{EVENTS}"
    async with connect(address, additional_headers=headers, proxy=None) as socket:
        position = json.loads(await socket.recv())["position"]
    await ask(stand.sender, "event", number=FRAMES, padding=BYTES)
    return position


async def run(house: House, servers: list[str], attacks: list[str], clients: int) -> None:
    print(HEAD)
    for server in servers:
        for attack in attacks:
            async with Stand(house, reference(server, "pubsub")) as stand:
                position = await fill(stand) if attack.startswith("resume") else ""
                cost = await measure(stand, attack, clients, position)
            print(cost.row(attack.replace("_", " "), server), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("attacks", nargs="*", help=f"of {', '.join(ATTACKS)}")
    parser.add_argument("--clients", type=int, default=500)
    parser.add_argument("--server", action="append", help="by default realtime.server and uvicorn")
    options = parser.parse_args()
    if unknown := set(options.attacks) - ATTACKS.keys():
        parser.error(f"There is no attack {', '.join(unknown)}: choose of {', '.join(ATTACKS)}.")
    servers = options.server or ["realtime.server", "uvicorn"]
    with tempfile.TemporaryDirectory(prefix="load-") as folder:
        house = House(Path(folder), options.clients + 1, os.environ.get("DATABASE_URL", ""))
        house.build()
        asyncio.run(run(house, servers, options.attacks or [*ATTACKS], options.clients))


if __name__ == "__main__":
    main()
