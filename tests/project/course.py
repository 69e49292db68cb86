"""The notebooks of the course: their order, their titles and their cells."""

from pathlib import Path

import nbformat
from nbformat import NotebookNode

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"

TITLES = {
    "00_start_here": "Push one notification from Django to a socket",
    "01_scope_and_events": "Answer a WebSocket with one function",
    "02_consumers": "Turn events into methods",
    "03_the_stack": "Wrap the app, one layer at a time",
    "04_who_is_calling": "Authenticate a connection with a Keycloak token",
    "05_saying_no": "Close with a code that the client can read",
    "06_one_user": "Notify one user and nobody else",
    "07_one_organization": "Tell every member, and turn a stranger away",
    "08_from_anywhere": "Broadcast from a view, a signal and a task",
    "09_what_gets_lost": "Lose messages on purpose",
    "10_nothing_lost": "Get them all back",
    "11_while_it_is_open": "End a connection when its token or access ends",
    "12_in_the_browser": "Show it in a React page",
    "13_your_own_endpoint": "Add an endpoint of your own",
    "14_prove_it": "Test it where it can fail",
    "15_in_production": "Serve it, restart it, scale it",
    "16_take_it_home": "Copy it into your own project",
    "17_also_in_channels": "Find your way in the rest of Channels",
}

PATHS = sorted(NOTEBOOKS.glob("*.ipynb"))


def name_of(path: Path) -> str:
    return path.stem


def read(path: Path) -> NotebookNode:
    return nbformat.read(path, as_version=4)


def tags(cell: NotebookNode) -> list[str]:
    return cell.metadata.get("tags", [])


def code_cells(notebook: NotebookNode, tag: str | None = None) -> list[NotebookNode]:
    """Return the cells that run, or those of them that have a tag."""
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    return [cell for cell in cells if tag is None or tag in tags(cell)]


def prose(notebook: NotebookNode) -> list[str]:
    return [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]


def command(path: Path) -> str:
    """Return what to run where a notebook is not as it would be written today."""
    name = path.relative_to(NOTEBOOKS.parent)
    return f"Run: .venv/bin/python -m tests.regenerate {name}"


def link(stem: str) -> str:
    return f"[{stem[:2]} {TITLES[stem]}]({stem}.ipynb)"
