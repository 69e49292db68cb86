"""Run notebooks and write their outputs, the pages' tables, and the browser client's close codes.

    python -m tests.regenerate

What needs only files and code is written first, since a failing notebook must not keep back the
file that would cure it. `--pages` writes nothing else. `--touched` also runs the notebooks that
show source which has changed; pytest names the others that differ.

Paths as arguments run those only. Two pages stand for their tables that are measured:
tests/wire/README.md for that of servers, reference_app/realtime/README.md for that of deployments.
What is written depends on the code alone: no timestamps, no machine's paths, cells counted 1 to n.
"""

import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient

from tests.project import frontend
from tests.project.course import PATHS, read
from tests.project.readme import PARTS, REALTIME, SERVERS, compared, refreshed, with_part
from tests.project.shown import outdated
from tests.wire import measure_deployments, measure_servers

METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
KEPT_CELL_METADATA = ("tags", "jupyter")


class Client(NotebookClient):
    def process_message(self, msg, cell, cell_index):
        """Keep what a cell displays first: an update is for whoever looks on, as nbval has it."""
        if msg["msg_type"] != "update_display_data":
            return super().process_message(msg, cell, cell_index)


def regenerate(path: Path) -> None:
    notebook = read(path)
    client = Client(
        notebook,
        record_timing=False,
        timeout=60,
        resources={"metadata": {"path": str(path.parent)}},
    )
    client.execute()
    normalize(notebook)
    nbformat.write(notebook, path)


# By page the part that is measured, what its rows are, and the function that measures them.
MEASURED = {
    SERVERS: ("servers", "when", measure_servers.measured_on_all),
    REALTIME: ("deployments", "promise", measure_deployments.measured_on_all),
}


def measure(page: Path) -> None:
    part, case, measured_on_all = MEASURED[page]
    table = compared(case, measured_on_all())
    page.write_text(with_part(page.read_text(), part, table))


def normalize(notebook: nbformat.NotebookNode) -> None:
    """Drop what differs from machine to machine, in place."""
    notebook.metadata = nbformat.from_dict(METADATA)
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    for number, cell in enumerate(notebook.cells):
        cell.id = f"cell-{number:02}"
        kept = {key: cell.metadata[key] for key in KEPT_CELL_METADATA if key in cell.metadata}
        cell.metadata = nbformat.from_dict(kept)
        for output in cell.get("outputs", []):
            if output.output_type == "error":
                # A traceback names the machine's paths; its last line is what the lesson reads.
                output.traceback = [f"{output.ename}: {output.evalue}"]


def write_generated() -> None:
    """Write the pages' tables and the client's close codes."""
    frontend.CLOSE_CODES.write_text(frontend.close_codes())
    for page in PARTS:
        page.write_text(refreshed(page))


def chosen(arguments: list[str]) -> list[Path]:
    """Return the notebooks and the measured pages that a command line asks for."""
    if arguments == ["--pages"]:
        return []
    if arguments == ["--touched"]:
        return [path for path in PATHS if outdated(read(path))]
    return [Path(each).resolve() for each in arguments] or [*PATHS, *MEASURED]


if __name__ == "__main__":
    write_generated()
    for path in chosen(sys.argv[1:]):
        print(f"Running {path}")
        measure(path) if path in MEASURED else regenerate(path)
    # Again, since a page shows what a notebook has drawn.
    write_generated()
