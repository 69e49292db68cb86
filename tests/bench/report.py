"""The bench's result: medians of all rounds, as JSON and as one table of ratios."""

import json
import os
import platform
import statistics
from collections import defaultdict
from collections.abc import Collection, Iterator
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

from tests.bench.contenders import Contender
from tests.bench.scenarios import Figures

PARTS = ["Django", "channels", "channels_redis", "daphne", "uvicorn", "autobahn", "redis"]

# Of these, more is better; of all others, less.
RATES = ("a second", "each second", "greeted")

COLUMNS = {
    "bare application": ("bare", ""),
    "reference": ("reference", "pubsub"),
    "on core": ("reference", "core"),
    "guide": ("guide", "core"),
}

# Where the guide was measured that a server is compared with, if not on itself.
GUIDES = {"realtime.server": "daphne"}


class Measured(NamedTuple):
    """What one contender did in one round of a scenario."""

    contender: Contender
    figures: Figures


class Median(NamedTuple):
    """A figure of all rounds of a contender."""

    server: str
    kind: str
    layer: str
    figure: str
    value: float


def medians(measured: list[Measured]) -> list[Median]:
    """Return the median of each figure of each contender."""
    values = defaultdict(list)
    for (kind, server, layer, _), figures in measured:
        for figure, value in figures.items():
            values[server, kind, layer, figure].append(value)
    return [Median(*of, statistics.median(rounds)) for of, rounds in values.items()]


def table(found: list[Median], only: Collection[str] = ()) -> str:
    """Return a row for each server and figure, with its ratios to what it is compared with."""
    value = {(m.server, m.figure, (m.kind, m.layer)): m.value for m in found}
    rows = dict.fromkeys((m.server, m.figure) for m in found if m.kind == "reference")
    head = ["server", "figure", *COLUMNS, "× bare application", "× better than the guide"]
    lines = [head, ["---"] * 2 + ["---:"] * (len(head) - 2)]
    for server, figure in rows:
        if only and figure not in only:
            continue
        bare, reference, _, guide = cells = [
            value.get((GUIDES.get(server, server) if name == "guide" else server, figure, column))
            for name, column in COLUMNS.items()
        ]
        ratios = [ratio(reference, bare), better(figure, reference, guide)]
        lines.append([server, figure, *map(shown, cells), *map(shown, ratios)])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def ratio(of: float | None, to: float | None) -> float | None:
    return of / to if of is not None and to else None


def better(figure: str, ours: float | None, theirs: float | None) -> float | None:
    return ratio(ours, theirs) if is_rate(figure) else ratio(theirs, ours)


def is_rate(figure: str) -> bool:
    return any(word in figure for word in RATES)


def shown(number: float | None) -> str:
    if number is None:
        return ""
    return f"{number:,.0f}" if number >= 100 or number == int(number) else f"{number:.3g}"


def saved(path: Path, found: list[Median], rounds: int) -> None:
    """Write the result, with its date and what it was measured on."""
    result = {
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "machine": {"cores": os.cpu_count(), "cpu": cpu(), "system": platform.system()},
        "versions": {"Python": platform.python_version()} | {name: version(name) for name in PARTS},
        "rounds": rounds,
        "medians": [median._replace(value=round(median.value, 3))._asdict() for median in found],
    }
    path.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n")


def read(path: Path) -> tuple[dict, list[Median]]:
    """Return what a result says of itself, and its medians."""
    result = json.loads(path.read_text())
    return result, [Median(**median) for median in result.pop("medians")]


def cpu() -> str:
    return next(_models(), "unknown")


def _models() -> Iterator[str]:
    with open("/proc/cpuinfo") as lines:
        for line in lines:
            if line.startswith("model name"):
                yield line.partition(":")[2].strip()
