"""The parts of the README that are generated: each stands between two comments that name it."""

import re
from pathlib import Path

import nbformat

from api.close_codes import CloseCode
from tests.load import report

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
SPEED = ROOT / "notebooks" / "speed.json"
PICTURED = ROOT / "notebooks" / "07_one_organisation.ipynb"

# Figures of the bench that the README shows.
SAID = {
    "CPU of a delivery to 1000, µs",
    "CPU of a connection, ms",
    "memory of a socket, KB",
    "1000 notified by 1: lost, %",
    "1000 notified by 1: each second",
    "1000 notified by 50: lost, %",
    "1000 notified by 50: each second",
    "storm of 500: greeted, %",
}


def refreshed(text: str) -> str:
    """Return the README's text with every part made anew that needs nothing but files and code."""
    for name, make in PARTS.items():
        text = with_part(text, name, make())
    return text


def with_part(text: str, name: str, part: str) -> str:
    """Return the README's text with one part in place of the one that it has."""
    between = f"<!-- {name} -->\n{part}\n<!-- /{name} -->"
    pattern = rf"<!-- {name} -->\n.*?<!-- /{name} -->"
    text, count = re.subn(pattern, lambda _: between, text, flags=re.DOTALL)
    assert count == 1, f"The README has no place for {name}."
    return text


def close_codes() -> str:
    rows = ["| code | name | meaning | client |", "|---|---|---|---|"]
    rows += [f"| {c.value} | {c.name} | {c.meaning} | {c.client} |" for c in CloseCode]
    return "\n".join(rows)


def notebooks() -> str:
    rows = ["| notebook | at the end |", "|---|---|"]
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        first = nbformat.read(path, as_version=4).cells[0].source
        title, promise = re.match(r"# (.+)\n\n> At the end, (.+)\n", first).groups()
        number = path.stem[:2]
        rows.append(f"| [{number} {title}](notebooks/{path.name}) | {promise} |")
    return "\n".join(rows)


def picture() -> str:
    """Return the last diagram that the notebook drew from its run."""
    cells = nbformat.read(PICTURED, as_version=4).cells
    drawn = [
        output.data["text/vnd.mermaid"]
        for cell in cells
        for output in cell.get("outputs", [])
        if "text/vnd.mermaid" in output.get("data", {})
    ]
    return f"```mermaid\n{drawn[-1]}\n```"


def speed() -> str:
    """Return the figures that say most, of the committed run of the bench."""
    about, found = report.read(SPEED)
    machine = f"{about['machine']['cores']} shared cores, {about['machine']['cpu']}"
    caption = f"Medians of {about['rounds']} rounds on {about['date']}; {machine}."
    return f"{caption}\n\n{report.table(found, only=SAID)}"


PARTS = {
    "picture": picture,
    "notebooks": notebooks,
    "close codes": close_codes,
    "speed": speed,
}


def servers(seen: dict[str, dict[str, str]]) -> str:
    """Return the table of what each server does, from what was measured by server and case."""
    rows = [
        f"| when | {' | '.join(f'`{name}`' for name in seen)} |",
        "|---" * (1 + len(seen)) + "|",
    ]
    cases = next(iter(seen.values()))
    rows += [f"| {' | '.join([words, *(seen[name][words] for name in seen)])} |" for words in cases]
    return "\n".join(rows)


def servers_as_told(text: str) -> dict[str, dict[str, str]]:
    """Return by server and case what the README's table says."""
    table = re.search(r"<!-- servers -->\n(.*?)\n<!-- /servers -->", text, re.DOTALL)[1]
    (_, *names), _, *rows = [line.strip("| ").split(" | ") for line in table.splitlines()]
    return {
        name.strip("`"): {row[0]: row[column] for row in rows}
        for column, name in enumerate(names, start=1)
    }
