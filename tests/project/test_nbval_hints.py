"""Where the output of a notebook differs, pytest says why, and what to run."""

import re
import subprocess
import sys

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_output

from tests.project.course import NOTEBOOKS
from tests.regenerate import METADATA

pytestmark = pytest.mark.full

CHECK = 'assert answer() == 42, "Return 42."'


def notebook(blank: str):
    """Return a notebook with an exercise, with the outputs of one whose blank returns nothing."""
    error = new_output("error", ename="AssertionError", evalue="Return 42.", traceback=[])
    cells = [
        new_code_cell(f"def answer():\n    {blank}", execution_count=1),
        new_code_cell(CHECK, execution_count=2, outputs=[error]),
        new_code_cell("1 + 1", execution_count=3),
    ]
    cells[1].metadata["tags"] = ["check", "raises-exception"]
    data = {"text/plain": "2"}
    cells[2].outputs = [new_output("execute_result", data=data, execution_count=3)]
    return nbformat.v4.new_notebook(cells=cells, metadata=METADATA)


NOTEBOOKS_OF_READERS = {
    "unsolved": notebook("return None"),
    "solved": notebook("return 42"),
    "failing": notebook("raise ValueError"),
    "changed": notebook("return None  # and a later cell puts out something else"),
}
NOTEBOOKS_OF_READERS["changed"].cells[2].source = "1 + 2"

SOLVED = "its output differs from the committed one, in which the blank fails."


@pytest.fixture(scope="module")
def said(tmp_path_factory):
    """What pytest says of them all, with the folder that they are in left out."""
    folder = tmp_path_factory.mktemp("readers")
    for name, each in NOTEBOOKS_OF_READERS.items():
        nbformat.write(each, folder / f"{name}.ipynb")
    command = [sys.executable, "-m", "pytest", "-c", "pyproject.toml", "-n0", "--color=no", folder]
    command.append("-rN")  # where CI is set, the summary says all of it a second time
    done = subprocess.run(command, cwd=NOTEBOOKS.parent, capture_output=True, text=True)
    return done.stdout.replace(f"{folder}/", "")


def test_a_solved_exercise_differs_at_its_check_only_and_pytest_says_so(said):
    hint = f"You have solved this exercise: {SOLVED} To get the blank back, run: git checkout "
    assert said.count(hint) == 1
    assert f"{hint}solved.ipynb" in said


def test_other_outputs_that_differ_name_the_command_that_writes_them(said):
    commands = re.findall(r"\.venv/bin/python -m tests\.regenerate (\w+)\.ipynb", said)
    assert sorted(commands) == ["changed", "failing"]


def test_an_exercise_that_is_not_solved_is_as_committed(said):
    assert "3 failed, 9 passed" in said
