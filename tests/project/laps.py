"""Runs the cells of a notebook in a real kernel, as often as a test asks for."""

import copy
import re
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from tests.regenerate import Client

COLORS = re.compile(r"\x1b\[[\d;]*m")


def run(cells: list[NotebookNode], folder: Path) -> list[NotebookNode]:
    """Return copies of the cells with what they put out, run one after the other in one kernel.

    Raises `CellExecutionError` where a cell fails that is not meant to.
    """
    copies = [NotebookNode(copy.deepcopy(cell), id=f"cell-{i}") for i, cell in enumerate(cells)]
    notebook = nbformat.v4.new_notebook(cells=copies)
    resources = {"metadata": {"path": str(folder)}}
    Client(notebook, timeout=60, record_timing=False, resources=resources).execute()
    return notebook.cells


def put_out(cell: NotebookNode) -> list[dict]:
    """Return what a cell puts out, as far as a committed notebook has it."""
    return [kept(output) for output in cell.outputs]


def kept(output: NotebookNode) -> dict:
    """Return an output without what differs from run to run, and an error as it is shown."""
    if output.output_type == "error":
        return {"error": COLORS.sub("", "\n".join(output.traceback)).rstrip(": \n")}
    return {key: output[key] for key in ("name", "text", "data") if key in output}
