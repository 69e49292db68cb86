"""The source that notebooks show by inspection, and whether it is still the source of today."""

import ast
import re
import textwrap
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import channels
import channels_redis
import daphne
from nbformat import NotebookNode

from tests.project.readme import REALTIME, ROOT

# What notebooks show: files, and the classes and functions in them.
LIBRARIES = [Path(library.__file__).parent for library in (channels, channels_redis, daphne)]
OURS = [ROOT / "reference_app", ROOT / "notebooks" / "classroom", ROOT / "tests"]
SUFFIXES = {".py", ".ts", ".tsx", ".conf", ".service", ".socket", ".json", ".html"}


def outdated(notebook: NotebookNode) -> list[str]:
    """Return the first line of each source that is shown and stands in no file any more."""
    cells = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    return [
        source.splitlines()[0]
        for source in shown(notebook)
        # Notebook 16 shows a copy of the folder, which has another name there.
        if not any(map(is_in_a_file, {source, re.sub(r"\blive\b", "realtime", source)}))
        and not any(source in definitions(cell) for cell in cells)
    ]


def shown(notebook: NotebookNode) -> Iterator[str]:
    """Yield what `classroom.show` has put out."""
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if re.match(r"```\w+\n", output.get("data", {}).get("text/markdown", "")):
                yield output.data["text/plain"]


def is_in_a_file(source: str) -> bool:
    first = source.splitlines()[0]
    return any(
        source == text.rstrip()
        or f"\n{source}\n```\n" in text  # what the recipe lets a project paste
        or path.suffix == ".py"
        and source in definitions_in(path)
        for path, text in texts().items()
        if first in text
    )


@cache
def texts() -> dict[Path, str]:
    paths = [REALTIME, *(path for folder in LIBRARIES for path in folder.rglob("*.py"))]
    paths += [path for folder in OURS for path in folder.rglob("*") if path.suffix in SUFFIXES]
    return {path: path.read_text() for path in paths if "node_modules" not in path.parts}


@cache
def definitions_in(path: Path) -> set[str]:
    return definitions(texts()[path])


def definitions(text: str) -> set[str]:
    """Return the source of each class and function, as `inspect` finds it, without indentation."""
    try:
        nodes = ast.walk(ast.parse(text))
    except SyntaxError:  # a cell with a line magic
        return set()
    lines = text.splitlines(keepends=True)
    kinds = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
    return {source_of(node, lines) for node in nodes if isinstance(node, kinds)}


def source_of(node: ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef, lines: list[str]) -> str:
    first = min(each.lineno for each in [node, *node.decorator_list])
    return textwrap.dedent("".join(lines[first - 1 : node.end_lineno])).rstrip()
