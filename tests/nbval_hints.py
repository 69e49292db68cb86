"""A plugin for pytest. It says why the output of a notebook's cell differs, and what to run."""

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

SOLVED = (
    "You have solved this exercise: its output differs from the committed one, in which the blank "
    "fails. To get the blank back, run: git checkout {path}"
)
CHANGED = "If the new output is right, run: .venv/bin/python -m tests.regenerate {path}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    if report.failed and hasattr(item, "cell"):
        report.longrepr = f"{report.longrepr}\n{hint(item)}\n"
    return report


def hint(item) -> str:
    path = item.path.relative_to(ROOT) if item.path.is_relative_to(ROOT) else item.path
    return (SOLVED if is_solved(item) else CHANGED).format(path=path)


def is_solved(item) -> bool:
    """Return whether a cell is the check of an exercise, and has passed."""
    is_check = "check" in item.cell.metadata.get("tags", [])
    has_failed = any(output.output_type == "error" for output in item.test_outputs or [])
    return is_check and not has_failed
