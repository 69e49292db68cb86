"""Mixed load for an hour: what of the server grows, and what is lost.

    python -m tests.bench.soak --minutes 60 --server realtime.server
    python -m tests.bench.soak --minutes 30 --server uvicorn --database postgresql

It reports every ten seconds. It fails where memory grows, something is lost, a client is answered
what it should not be, or a traceback is logged. It needs Linux and a redis-server, and takes about
a third of a core.
"""

import argparse
import asyncio
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import redis

from tests.bench import process
from tests.bench.contenders import reference
from tests.bench.mixed_load import USERS
from tests.bench.orders import ask
from tests.bench.stand import House, Stand
from tests.wire.postgresql import real_postgresql
from tests.wire.servers import COMMANDS

# Seconds between two samples.
EVERY = 10

# Minutes in which caches, pools and heaps fill, and MiB a minute that a server may grow after them.
WARM_UP, MOST = 20, 0.1


class Sample(NamedTuple):
    """What a server holds at a time."""

    minutes: float
    memory_mib: float
    threads: int
    files: int
    redis_keys: int
    redis_channels: int

    def __str__(self):
        words = (f"{name} {value}" for name, value in self._asdict().items())
        return ", ".join(words)


# Lines of the log that are shown of a traceback.
LINES = 40

# What may rise for a moment, and not for good.
COUNTED = ["threads", "files", "redis_keys", "redis_channels"]


class SoakStand(Stand):
    """A server with the mixed load beside it."""

    clients = "tests.bench.mixed_load"

    def sample(self, begin: float) -> Sample:
        with redis.Redis(host="127.0.0.1", port=self.redis.port) as connection:
            keys, channels = connection.dbsize(), len(connection.pubsub_channels())
        return Sample(
            round((time.monotonic() - begin) / 60, 2),
            round(self.memory() / 1024, 2),
            process.threads(self.pid),
            process.files(self.pid),
            keys,
            channels,
        )


async def soak(stand: SoakStand, options: argparse.Namespace) -> list[str]:
    """Put a server under load, print what it holds, and return what is wrong."""
    samples: list[Sample] = []
    begin, cpu = time.monotonic(), stand.cpu()
    await ask(stand.crowd, "begin", pace=options.pace)
    while (now := time.monotonic() - begin) < options.minutes * 60:
        await asyncio.sleep(EVERY - now % EVERY)
        await stand.send_one()  # as a worker does, from a process of its own
        samples.append(stand.sample(begin))
        print(samples[-1], flush=True)
    print(f"CPU {(stand.cpu() - cpu) / (time.monotonic() - begin):.0%}", flush=True)
    end = await ask(stand.crowd, "end")
    print(end | {"failures": len(end["failures"])}, flush=True)
    return [*faults(end, stand.server.life.log), *growth(samples)]


def faults(end: dict, log: list[str]) -> Iterator[str]:
    yield from end["failures"][:10]
    if (away := end["done"].get("turned away", 0)) > sum(end["done"].values()) / 100:
        yield f"{away} clients were turned away."
    if end["lost"]:
        yield f"{end['lost']} frames were lost."
    if tracebacks := [
        number for number in range(1, len(log)) if is_traceback(*log[number - 1 :][:2])
    ]:
        first = "".join(log[tracebacks[0] - 1 :][:LINES])
        yield f"{len(tracebacks)} tracebacks were logged, the first of them:\n{first}"


def is_traceback(before: str, line: str) -> bool:
    """Whether a traceback begins, other than the one that uvicorn logs for invalid UTF-8."""
    return "Traceback" in line and "Invalid UTF-8 sequence" not in before


def growth(samples: list[Sample]) -> Iterator[str]:
    """Say what was held early and late after the warm-up, and yield what has grown."""
    warm = [each for each in samples if each.minutes >= min(WARM_UP, samples[-1].minutes / 3)]
    part = max(1, len(warm) // 4)
    early, late = Sample(*zip(*warm[:part], strict=True)), Sample(*zip(*warm[-part:], strict=True))
    for words, quarter in (("first", early), ("last", late)):
        print(f"Median of the {words} quarter: {Sample(*map(statistics.median, quarter))}")
    slope = slope_of(warm)
    print(f"Memory grew by {slope:.3f} MiB a minute after the warm-up.", flush=True)
    if warm[-1].minutes - warm[0].minutes < WARM_UP:
        return  # too short a time to judge
    if slope > MOST:
        yield f"Memory grew by {slope:.2f} MiB a minute."
    for name in COUNTED:
        if min(getattr(late, name)) > max(getattr(early, name)):
            yield f"There were more {name} all the time in the last quarter than in the first."


def slope_of(samples: list[Sample]) -> float:
    """Return by how many MiB a minute memory grew, by least squares."""
    minutes, memory, *_ = zip(*samples, strict=True)
    return statistics.linear_regression(minutes, memory).slope


async def run(house: House, options: argparse.Namespace) -> list[str]:
    contender = reference(options.server, options.layer)
    async with SoakStand(house, contender, DJANGO_SETTINGS_MODULE=options.settings) as stand:
        return await soak(stand, options)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--server", choices=COMMANDS, default="realtime.server")
    parser.add_argument("--layer", choices=["pubsub", "core"], default="pubsub")
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--pace", type=float, default=1, help="how many times the usual load")
    parser.add_argument("--settings", default="tests.wire.variants.without_debug")
    options = parser.parse_args()
    # So that the server and the clients end with this process, however it is ended.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("The soak was stopped."))
    with ExitStack() as held:
        folder = held.enter_context(tempfile.TemporaryDirectory(prefix="soak-"))
        url = held.enter_context(real_postgresql()) if options.database == "postgresql" else ""
        house = House(Path(folder), USERS, url)
        house.build()
        wrong = asyncio.run(run(house, options))
    sys.exit("\n".join(wrong) if wrong else 0)


if __name__ == "__main__":
    main()
