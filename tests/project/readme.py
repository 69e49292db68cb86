"""The parts of the project's pages that are generated.

Each part stands between two comments that name it.
"""

import re
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
from prometheus_client.metrics import MetricWrapperBase

from realtime.conf import Limit, Setting, conf
from realtime.identity.profiles import KEYS, PROFILES, answers
from realtime.monitoring import metrics
from realtime.protocol.close_codes import CloseCode
from tests.bench import report

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
REALTIME = ROOT / "reference_app" / "realtime" / "README.md"
REFERENCE = ROOT / "reference_app" / "README.md"
SERVERS = ROOT / "tests" / "wire" / "README.md"
BENCH = ROOT / "tests" / "bench" / "README.md"

SPEED = ROOT / "notebooks" / "recorded" / "speed.json"
PICTURED = "07_*.ipynb"

# Figures of the bench that its page shows.
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

DELIVERY = ("daphne", "CPU of a delivery to 1000, µs")
# What the first page says of it, by kind and channel layer.
COMPARED = [("reference", "pubsub"), ("guide", "core"), ("bare", "")]


def refreshed(page: Path) -> str:
    """Return a page's text with every part made anew that needs nothing but files and code."""
    text = page.read_text()
    for name, make in PARTS[page].items():
        text = with_part(text, name, make())
    return text


def with_part(text: str, name: str, part: str) -> str:
    """Return a page's text with one part in place of the one that it has."""
    between = f"<!-- {name} -->\n{part}\n<!-- /{name} -->"
    pattern = rf"<!-- {name} -->\n.*?<!-- /{name} -->"
    text, count = re.subn(pattern, lambda _: between, text, flags=re.DOTALL)
    assert count == 1, f"The page has no place for {name}."
    return text


def links(page: Path) -> list[Path]:
    """Return the files that a page links to or shows."""
    text = page.read_text()
    targets = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text)
    targets += re.findall(r'src(?:set)?="([^"]+)"', text)
    return [page.parent / target for target in targets]


def close_codes() -> str:
    rows = ["| code | name | meaning | client |", "|---|---|---|---|"]
    rows += [f"| {c.value} | {c.name} | {c.meaning} | {c.client} |" for c in CloseCode]
    return "\n".join(rows)


def settings() -> str:
    rows = ["| setting | default | what it sets |", "|---|---|---|"]
    plain = [each for each in conf if not isinstance(each, Limit)]
    rows += [f"| `{each.name}` | {default_of(each)} | {each.meaning} |" for each in plain]
    return "\n".join(rows)


def issuer() -> str:
    """Return the table of the keys of REALTIME_ISSUER."""
    rows = ["| key | default | meaning |", "|---|---|---|"]
    for name, key in KEYS.items():
        required = name in ("ISSUER", "AUDIENCE")
        default = "required" if required else in_words(key.default)
        rows.append(f"| `{name}` | {default} | {key.meaning} |")
    return "\n".join(rows)


def profiles() -> str:
    """Return what each profile takes for an access token, and where it looks in one."""
    columns = ["profile", "an access token has", "audience", "user", "session", "verified email"]
    rows = [f"| {' | '.join(columns)} |", "|---" * len(columns) + "|"]
    for name in PROFILES:
        found = answers({"PROFILE": name})
        wanted = f": `{found['TOKEN_TYPE']}`" if found["TOKEN_TYPE"] else ""
        claim = found["TOKEN_TYPE_CLAIM"]
        cells = [
            f"`{name}`",
            (f"the claim `{claim}`" if claim else "`typ` in the header") + wanted,
            *(in_words(found[key]) for key in ("AUDIENCE_CLAIM", "SUBJECT_CLAIMS")),
            in_words(found["SESSION_CLAIM"]),
            f"`{found['EMAIL_CLAIM']}` if `{found['EMAIL_VERIFIED_CLAIM']}`",
        ]
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows)


def in_words(value: str | list[str]) -> str:
    values = value if isinstance(value, list) else [value]
    return ", or ".join(f"`{each}`" for each in values if each) or "none"


def limits() -> str:
    rows = [
        "| limit | setting | default | more than that | on uvicorn and plain Daphne |",
        "|---|---|---|---|---|",
    ]
    rows += [
        f"| {each.meaning} | `{each.name}` | {default_of(each)} | {each.response} "
        f"| {each.elsewhere or 'the same'} |"
        for each in conf
        if isinstance(each, Limit)
    ]
    return "\n".join(rows)


def counted() -> str:
    """Return the table of what Prometheus is told."""
    rows = ["| metric | type | labels | what it tells |", "|---|---|---|---|"]
    for each in vars(metrics).values():
        if isinstance(each, MetricWrapperBase):
            (family,) = each.describe()
            suffix = "_total" if family.type == "counter" else ""
            labels = ", ".join(each._labelnames)  # there is no public name for them
            words = f"{family.type} | {labels} | {family.documentation}"
            rows.append(f"| `{family.name}{suffix}` | {words} |")
    return "\n".join(rows)


def default_of(setting: Setting[Any]) -> str:
    """Return a default in words, with its unit."""
    if setting.default == {}:
        return "required"
    if setting.default in ([], ""):
        return "none"
    if isinstance(setting.default, bool | str):
        return f"`{setting.default}`"
    return f"{setting.default:,} {setting.unit}"


def requirements() -> str:
    """Return the commands that install what `realtime/` needs to serve."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    always, postgres = (
        "pip install " + " ".join(f"'{each}'" for each in needed)
        for needed in (project["dependencies"], project["optional-dependencies"]["postgres"])
    )
    return f"```bash\n{always}\n```\n\nPostgreSQL needs one more:\n\n```bash\n{postgres}\n```"


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
    (path,) = (ROOT / "notebooks").glob(PICTURED)
    drawn = [
        output.data["text/vnd.mermaid"]
        for cell in nbformat.read(path, as_version=4).cells
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


def cost() -> str:
    """Return what a delivery costs here, in the guide and at least, in one sentence."""
    _, found = report.read(SPEED)
    of_daphne = {(m.kind, m.layer): m for m in found if (m.server, m.figure) == DELIVERY}
    here, guide, bare = (f"{of_daphne[each].value:.0f} µs" for each in COMPARED)
    return (
        f"On Daphne, an event to 1,000 sockets costs {here} of CPU for each socket. "
        f"The guide's code needs {guide}, and a bare ASGI application {bare}."
    )


# By page, the parts that it has.
PARTS: dict[Path, dict[str, Callable[[], str]]] = {
    README: {"cost": cost, "notebooks": notebooks},
    REALTIME: {
        "requirements": requirements,
        "close codes": close_codes,
        "settings": settings,
        "issuer": issuer,
        "profiles": profiles,
        "limits": limits,
        "metrics": counted,
    },
    REFERENCE: {"picture": picture},
    SERVERS: {},
    BENCH: {"speed": speed},
}


def compared(case: str, seen: dict[str, dict[str, str]]) -> str:
    """Return the table of what was measured by server and case, with what a case is as its head."""
    rows = [
        f"| {case} | {' | '.join(map(head, seen))} |",
        "|---" * (1 + len(seen)) + "|",
    ]
    cases = next(iter(seen.values()))
    rows += [f"| {' | '.join([words, *(seen[name][words] for name in seen)])} |" for words in cases]
    return "\n".join(rows)


def head(name: str) -> str:
    """Return what stands above a column, in which a command looks like one."""
    return name if " " in name else f"`{name}`"


def as_told(page: Path, part: str) -> dict[str, dict[str, str]]:
    """Return by server and case what the table of `compared` says on a page."""
    pattern = rf"<!-- {part} -->\n(.*?)\n<!-- /{part} -->"
    table = re.search(pattern, page.read_text(), re.DOTALL)
    (_, *names), _, *rows = [line.strip("| ").split(" | ") for line in table[1].splitlines()]
    return {
        name.strip("`"): {row[0]: row[column] for row in rows}
        for column, name in enumerate(names, start=1)
    }
