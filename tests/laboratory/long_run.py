"""The laboratory for minutes: the promised schedules, then random ones; beside each, the guide's.

    python -m tests.laboratory.long_run --minutes 10 --seeds 20

It prints a line for each run and a table in the end, and exits with 1 where the app lost anything.
DATABASE_URL may name a PostgreSQL database; the default is an SQLite file that is thrown away.
"""

import argparse
import asyncio
import itertools
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

from tests.laboratory.audience import seats
from tests.laboratory.findings import KINDS
from tests.laboratory.laboratory import Result, run, steady
from tests.laboratory.schedules import PROMISED, Schedule, at_random
from tests.laboratory.stacks import Stack, guide

STACKS = [
    Stack(server, layer)
    for layer, server in itertools.product(("pubsub", "core"), ("daphne", "uvicorn"))
]

# Seconds from event to event: nine of ten go to the hall, so that has one each 10 ms.
EVERY = 0.009

# 200 clients in the hall, and ten who must hear nothing of what is said there.
AUDIENCE = seats(hall=200, side=5, alone=5)

# What the guide as written carries while nothing fails; it delivers 3,300 frames a second.
GUIDES_AUDIENCE = seats(hall=20, side=5, alone=5)

# Seconds of a run beside its faults: processes start, events go out at last, readers catch up.
AROUND = 5


class Pair(NamedTuple):
    """How a schedule went with the app, and with the guide as written."""

    app: Result
    guide: Result | None


def planned(options) -> Iterator[tuple[Schedule, Stack]]:
    """Yield schedules, each with the stack that it is for."""
    if options.promised:
        layers = {stack.layer for stack in STACKS}
        turns = itertools.product(PROMISED, sorted(layers))
        for number, (schedule, layer) in enumerate(turns):
            stacks = [stack for stack in STACKS if stack.layer == layer]
            yield schedule, stacks[number // 2 % len(stacks)]
    seconds = options.minutes * 60 / options.seeds - AROUND
    for seed in range(options.first_seed, options.first_seed + options.seeds):
        # Each stack in turn, and every other time as two servers.
        several, number = divmod(seed, len(STACKS))
        schedule = at_random(seed, seconds=seconds, servers=1 + several % 2)
        yield schedule, STACKS[number]


async def run_all(environment: dict[str, str], options) -> list[Pair]:
    pairs = []
    for schedule, stack in planned(options):
        print(schedule)
        stack = replace(stack, servers=schedule.servers)
        app = await run_and_tell(environment, stack, schedule, AUDIENCE)
        beside = None
        if options.guide:
            written = guide(schedule.servers)
            # It has no rows, and nothing in it knows of transactions.
            usual = schedule.only("redis", "server", "network", "link")
            beside = await run_and_tell(environment, written, usual, GUIDES_AUDIENCE)
        pairs.append(Pair(app, beside))
    return pairs


async def run_and_tell(environment, stack, schedule, audience) -> Result:
    result = await run(environment, stack, schedule, steady(audience, schedule, EVERY))
    print(f"  {stack}: {result.end}; {result.report}", flush=True)
    return result


def summary(pairs: list[Pair]) -> str:
    """Return a table in Markdown, and what both come to."""
    columns = {
        "schedule": lambda pair: pair.app.schedule.name,
        "stack": lambda pair: pair.app.stack,
        "published": lambda pair: pair.app.report.published,
        "owed": lambda pair: pair.app.report.expected,
        "delivered": lambda pair: f"{pair.app.report.share:.1f} %",
        **{kind: lambda pair, kind=kind: pair.app.report.count(kind) for kind in KINDS},
        "returns": lambda pair: pair.app.report.returns,
        "unrecovered": lambda pair: pair.app.report.unrecovered,
        "slowest": lambda pair: f"{pair.app.report.slowest:.1f} s",
        "end": lambda pair: pair.app.end,
        "the guide": lambda pair: f"{pair.guide.report.share:.1f} %" if pair.guide else "",
    }
    rows = [[str(cell(pair)) for cell in columns.values()] for pair in pairs]
    table = [[*columns], ["---"] * len(columns), *rows]
    lines = [f"| {' | '.join(row)} |" for row in table]
    return "\n".join([*lines, "", *totals(pairs)])


def totals(pairs: list[Pair]) -> Iterator[str]:
    for name, results in (
        ("The app", [pair.app for pair in pairs]),
        ("The guide as written", [pair.guide for pair in pairs if pair.guide]),
    ):
        owed = sum(result.report.expected for result in results)
        delivered = sum(result.report.delivered for result in results)
        if owed:
            share = f"{100 * delivered / owed:.1f} %"
            yield f"{name}: {delivered:,} of {owed:,} delivered in {len(results)} runs, {share}."


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=10, help="for the random schedules")
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--first-seed", type=int, default=1, help="to repeat a run")
    for name in ("promised", "guide"):
        parser.add_argument(f"--{name}", action=argparse.BooleanOptionalAction, default=True)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="laboratory-") as folder:
        environment = {
            "DJANGO_SETTINGS_MODULE": "config.settings.local",
            "DATA_DIR": folder,
            "DATABASE_URL": os.environ.get("DATABASE_URL") or f"sqlite:///{folder}/db.sqlite3",
        }
        migrate = [sys.executable, "-m", "django", "migrate", "--verbosity=0"]
        subprocess.run(migrate, env=os.environ | environment, check=True)
        pairs = asyncio.run(run_all(environment, options))
    print(f"\n{summary(pairs)}")
    sys.exit(not all(pair.app.is_good for pair in pairs))


if __name__ == "__main__":
    main()
