"""The shape of the house: which room may import which, and how large its pieces are."""

import ast
import io
import re
import statistics
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.project.readme import ROOT

APP = ROOT / "reference_app" / "realtime"

# From the top down. A module imports from lines below its own, and rooms of one line do not import
# each other.
FLOORS = [
    {"apps", "urls", "migrations", "tests"},
    {"checks", "admin", "receivers", "http", "monitoring", "management", "integrations"},
    {"rest"},
    {"testing", "conformance"},
    {"consumer", "middleware", "routing", "senders"},
    {"sockets"},
    {"authority", "delivery"},
    {"models"},
    {"identity", "layer", "server"},
    {"protocol"},
    {"concurrency"},
    {"conf", "deadlines", "signals", "__version__"},
]
HEIGHT = {room: -number for number, floor in enumerate(FLOORS) for room in floor}

# By what they may name, the rooms that know a server, a client, or a library for REST, which a
# project need not have.
NAMING = {
    ("twisted", "daphne", "uvicorn", "autobahn"): {"server"},
    ("websockets",): {"server", "conformance"},
    ("rest_framework", "ninja"): {"integrations"},
}


def modules() -> list[Path]:
    """Return what a project runs or reads; tests are named and shaped as those of this project."""
    paths = (path for path in APP.rglob("*.py") if "migrations" not in path.parts)
    return sorted(path for path in paths if room_of(path) != "tests")


def room_of(path: Path) -> str:
    return path.relative_to(APP).parts[0].removesuffix(".py")


def imported_rooms(path: Path) -> Iterator[str]:
    """Yield the room of each import from the folder itself, absolute or relative."""
    inside = path.relative_to(APP).parts
    for node in ast.walk(ast.parse(path.read_text())):
        if not isinstance(node, ast.ImportFrom):
            continue
        module = (node.module or "").split(".")
        if node.level:
            module = ["realtime", *inside[: len(inside) - node.level], *filter(None, module)]
        if module[0] == "realtime":
            yield from ([module[1]] if module[1:] else [alias.name for alias in node.names])


def upward_imports() -> Iterator[str]:
    for path in sorted(APP.rglob("*.py")):
        room = room_of(path)
        if room == "__init__":
            continue
        for other in imported_rooms(path):
            if other != room and HEIGHT[other] >= HEIGHT[room]:
                yield f"{path.relative_to(APP)} imports {other}"


def test_rooms_import_downwards_only():
    assert sorted(set(upward_imports())) == []


def test_copy_needs_no_absolute_import():
    """A folder that imports itself by name could not be renamed."""
    absolute = [
        path.name
        for path in APP.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "realtime"
        if not node.level
    ]
    assert absolute == []


def named(node: ast.AST) -> Iterator[str]:
    """Yield the words by which code can name a module: imports, and strings that are no prose."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        yield node.module or ""
    elif isinstance(node, ast.Constant) and isinstance(node.value, str) and " " not in node.value:
        yield node.value


@pytest.mark.parametrize(("names", "rooms"), NAMING.items())
def test_few_rooms_name_a_server_or_a_library(names, rooms):
    found = {
        f"{path.relative_to(APP)}: {word}"
        for path in modules()
        if room_of(path) not in rooms
        for node in ast.walk(ast.parse(path.read_text()))
        for word in named(node)
        if word.split(".")[0] in names
    }
    assert found == set()


def lengths() -> list[int]:
    """Return the lines of each function, without its docstring."""
    found = []
    for path in modules():
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                documented = ast.get_docstring(node, clean=False) is not None
                body = node.body[1:] if documented else node.body
                found.append(node.end_lineno - body[0].lineno + 1 if body else 0)
    return found


def test_functions_are_short():
    found = lengths()
    assert 2 <= statistics.median(found) <= 6
    assert max(found) <= 25


def filled_lines(path: Path) -> int:
    return sum(bool(line.strip()) for line in path.read_text().splitlines())


def test_folder_is_small_enough_to_read():
    apart = {"testing", "tests", "conformance"}
    assert sum(filled_lines(path) for path in modules() if room_of(path) not in apart) <= 6_750
    assert len([each for each in APP.iterdir() if each.name != "__pycache__"]) <= 35


def test_guides_app_is_small_enough_to_write_again():
    api = (ROOT / "reference_app" / "api").rglob("*.py")
    lines = [len(path.read_text().splitlines()) for path in api if "migrations" not in path.parts]
    assert sum(lines) <= 450


# Words for which plain English has better ones.
DIALECT = re.compile(
    r"\b(whoever|whatever|whose|nobody|somebody|everybody|anybody|meanwhile|once more|no more"
    r"|any more|nor|lest)\b",
    re.IGNORECASE,
)


def docstrings(path: Path) -> list[str]:
    kinds = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
    nodes = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, kinds)]
    return [text for node in nodes if (text := ast.get_docstring(node))]


def comments(path: Path) -> list[str]:
    tokens = tokenize.generate_tokens(io.StringIO(path.read_text()).readline)
    return [token.string for token in tokens if token.type == tokenize.COMMENT]


def test_docstrings_begin_with_one_plain_sentence():
    """The models of this project have a colon or a semicolon in 4 to 12 % of them."""
    texts = [text.split("\n\n")[0] for path in modules() for text in docstrings(path)]
    twisted = [text for text in texts if ":" in text.rstrip(":") or ";" in text]
    assert len(twisted) <= 0.15 * len(texts), twisted


def test_words_are_plain():
    texts = [text for path in modules() for text in docstrings(path) + comments(path)]
    found = [text for text in texts if DIALECT.search(text)]
    assert len(found) <= 0.02 * len(texts), found


def texts() -> Iterator[Path]:
    kinds = {".py", ".md", ".ipynb", ".ts", ".tsx", ".html", ".css", ".json", ".toml", ".yml"}
    for folder in ("notebooks", "reference_app", "tests", ".github"):
        for path in (ROOT / folder).rglob("*"):
            if path.suffix in kinds and not {"node_modules", "var"} & {*path.parts}:
                yield path
    yield from (ROOT / name for name in ("README.md", "pyproject.toml", "environment.yml"))


def test_spelling_is_american():
    british = "organi" + "sation"
    assert [path for path in texts() if british in path.read_text().lower()] == []
