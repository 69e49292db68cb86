"""Measures what a socket and a delivery cost, here, in the guide and in a bare application.

    python -m tests.bench            all of it, three rounds, half an hour
    python -m tests.bench --quick    two minutes

CPU of the server process is the figure to trust: it hardly depends on what else the machine does.
Needs Linux and a redis-server. DATABASE_URL may name a PostgreSQL database; the default is an
SQLite file that is thrown away.
"""

import argparse
import asyncio
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

from tests.bench import scenarios
from tests.bench.contenders import Contender, everybody
from tests.bench.report import Measured, medians, saved, shown, table
from tests.bench.stand import House, Stand

SLOW = "tests.bench.slow_membership:application"


class Size(NamedTuple):
    """How much is measured."""

    rounds: int
    sizes: list[int]
    deliveries: int
    users: int
    senders: list[int]
    storm: int
    stalled: tuple[int, int]


FULL = Size(3, [100, 500, 1000, 2000], 40_000, 1_000, [1, 50], 500, (100, 500))
QUICK = Size(1, [100, 300], 3_000, 100, [50], 200, (50, 50))


class Trial(NamedTuple):
    """A scenario for a contender."""

    contender: Contender
    scenario: partial
    environment: dict[str, str]

    def __str__(self):
        return f"{self.scenario.func.__name__}, {self.contender}"


def trials(size: Size, *, quick: bool) -> Iterator[Trial]:
    """Yield what one round measures: contenders that are compared follow each other."""
    contenders = everybody(quick=quick)
    for contender in contenders:
        scenario = partial(scenarios.fan_out, sizes=size.sizes, deliveries=size.deliveries)
        yield Trial(contender, scenario, {})
    contenders = [contender for contender in contenders if contender.kind != "bare"]
    for contender in contenders:
        scenario = partial(scenarios.one_each, users=size.users, senders=size.senders)
        yield Trial(contender, scenario, {})
    for contender in contenders:
        slow = {"SERVED": SLOW, "APPLICATION": contender.stack.application}
        yield Trial(contender, partial(scenarios.storm, clients=size.storm, seconds=15), slow)
    clients, events = size.stalled
    for contender in contenders:
        if contender.kind == "reference":
            scenario = partial(scenarios.stalled, clients=clients, events=events, every=0.02)
            yield Trial(contender, scenario, {})


async def measure(house: House, size: Size, *, quick: bool) -> list[Measured]:
    measured = []
    round_ = [*trials(size, quick=quick)]
    for number, trial in enumerate(round_ * size.rounds, 1):
        async with Stand(house, trial.contender, **trial.environment) as stand:
            figures = await trial.scenario(stand)
        measured.append(Measured(trial.contender, figures))
        words = "; ".join(f"{figure} {shown(value)}" for figure, value in figures.items())
        print(f"[{number}/{len(round_) * size.rounds}] {trial}: {words}", flush=True)
    return measured


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="little of everything, one round")
    parser.add_argument("--rounds", type=int, help="how often all of it is measured")
    parser.add_argument("--json", type=Path, help="where to write the result")
    options = parser.parse_args()
    if sys.platform != "linux":
        sys.exit("The bench reads what a process takes from Linux' /proc: run it on Linux.")
    if not shutil.which("redis-server"):
        sys.exit("The bench needs a redis-server: install it, Debian calls it redis-server.")
    size = QUICK if options.quick else FULL
    size = size._replace(rounds=options.rounds or size.rounds)
    with tempfile.TemporaryDirectory(prefix="load-") as folder:
        house = House(Path(folder), max(size.sizes), os.environ.get("DATABASE_URL", ""))
        house.build()
        found = medians(asyncio.run(measure(house, size, quick=options.quick)))
    print(f"\n{table(found)}")
    if options.json:
        saved(options.json, found, size.rounds)


if __name__ == "__main__":
    main()
