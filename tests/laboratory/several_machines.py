"""A trial of a whole site, in which its servers, its engines and its network fail, one by one.

    python -m tests.laboratory.several_machines --sockets 2000

While events go out, the servers restart in turn, each shard fails over, PostgreSQL restarts, and a
machine is cut off. For each fault a line says when every reader had everything. It exits with 1
where anything was lost.
"""

import argparse
import asyncio
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from realtime.conf import conf
from tests.laboratory.audience import seats
from tests.laboratory.faults import Span
from tests.laboratory.laboratory import INTERVALS, Result
from tests.laboratory.publisher import Plan
from tests.laboratory.schedules import Fault, Schedule, in_turn
from tests.laboratory.site import STACK, SiteLaboratory, site

TRIAL = Schedule(
    "a site on several machines",
    (
        *in_turn(STACK.servers, rounds=1, every=20),
        Fault(85, "failover_redis", server=0),
        Fault(95, "failover_redis", server=1),
        Fault(105, "restart_postgresql", 2),
        Fault(120, "cut_off_machine", 30, server=1),
    ),
    rest=30,
)


class Completion(NamedTuple):
    """When a fault was over for the readers."""

    # Seconds from its end until every reader had all that was sent before that end.
    after: float
    # Seconds that an event which was sent during the fault took to the last of its readers.
    longest: float


def completions(history: Iterable[dict], spans: dict[Fault, Span]) -> dict[Fault, Completion]:
    """Return when each fault was over, by the first time that readers read each event."""
    published, read = {}, set()
    found = dict.fromkeys(spans, Completion(0, 0))
    for event in history:
        if event["did"] in ("published", "failed"):
            published[event["stream"], event["number"]] = event["at"]
        if event["did"] != "frame" or (event["reader"], event["number"]) in read:
            continue
        read.add((event["reader"], event["number"]))
        sent, at = published[event["stream"], event["number"]], event["at"]
        for fault, span in spans.items():
            if sent <= span.ended:
                longest = at - sent if sent >= span.began else 0
                values = zip(found[fault], (at - span.ended, longest), strict=True)
                found[fault] = Completion(*map(max, values))
    return found


class Trial(NamedTuple):
    """How a trial went."""

    result: Result
    spans: dict[Fault, Span]
    completions: dict[Fault, Completion]

    def __str__(self):
        lines = [
            f"{fault}: lasted {span.ended - span.began:.1f} s, complete"
            f" {self.completions[fault].after:.1f} s after its end; an event sent during it took"
            f" {self.completions[fault].longest:.1f} s at most"
            for fault, span in self.spans.items()
        ]
        return "\n".join([*lines, f"{self.result.end}; {self.result.report}"])


def plan(sockets: int, schedule: Schedule, every: float) -> Plan:
    """Return events at intervals.

    Of three, one goes to each of the two organizations, and one to a user.
    """
    many = sockets * 3 // 10
    audience = seats(hall=many, side=many, alone=sockets - 2 * many)
    streams = [stream for seat in audience[2 * many :] for stream in ("hall", "side", seat.stream)]
    return Plan(audience, streams, int(schedule.seconds / every), every)


async def run(folder: Path, schedule: Schedule, plan: Plan, **settings: str) -> Trial:
    """Put a site through a schedule."""
    with site(folder) as built:
        environment = {"DATA_DIR": str(folder), **built.environment, **settings}
        migrate = [sys.executable, "-m", "django", "migrate", "--verbosity=0"]
        variables = os.environ | environment | {"DJANGO_SETTINGS_MODULE": STACK.settings}
        await asyncio.to_thread(subprocess.run, migrate, env=variables, check=True)
        async with SiteLaboratory(built, environment, schedule) as laboratory:
            await laboratory.assemble(plan)
            await laboratory.perform()
            result = await laboratory.conclude()
            spans = laboratory.faults.spans
            return Trial(result, spans, completions(laboratory.history(), spans))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--sockets", type=int, default=2000)
    sockets = parser.parse_args().sockets
    # The times that are reported are those of a deployment.
    settings = {each.name: str(each.default) for each in conf if each.name in INTERVALS}
    # Clients come back over so long: here all servers share the cores of one machine.
    settings["REALTIME_DRAIN_SECONDS"] = "10"
    with tempfile.TemporaryDirectory(prefix="site-") as folder:
        trial = asyncio.run(run(Path(folder), TRIAL, plan(sockets, TRIAL, every=0.5), **settings))
    print(f"{sockets} sockets on {STACK}\n{trial}")
    sys.exit(not trial.result.is_good)


if __name__ == "__main__":
    main()
