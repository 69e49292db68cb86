"""A notebook works as its readers use it: twice, in any folder, and with its exercises solved."""

import ast
import copy

import pytest
from nbformat import NotebookNode

from tests.project.course import NOTEBOOKS, PATHS, code_cells, name_of, read, tags
from tests.project.laps import put_out, run

pytestmark = [pytest.mark.full, pytest.mark.parametrize("path", PATHS, ids=name_of)]


@pytest.fixture
def cells(path):
    return code_cells(read(path))


def assert_put_out_what_is_committed(ran, cells):
    for now, committed in zip(ran, cells, strict=True):
        assert put_out(now) == put_out(committed), committed.source


def test_all_cells_run_twice_in_one_kernel_at_the_root(cells):
    ran = run(cells * 2, NOTEBOOKS.parent)
    assert_put_out_what_is_committed(ran, cells * 2)


@pytest.mark.long
def test_all_cells_run_in_an_empty_folder_after_a_run_that_stopped_half_way(cells, tmp_path):
    begun = cells[: len(cells) * 2 // 3]
    ran = run(begun + cells, tmp_path)
    assert_put_out_what_is_committed(ran[len(begun) :], cells)


def test_solution_in_the_blank_passes_the_check_and_no_later_cell_fails(cells, tmp_path):
    ran = run(solved(cells), tmp_path)
    shown = [output for cell in ran if "check" in tags(cell) for output in cell.outputs]
    assert [output for output in shown if output.output_type == "error"] == []


def solved(cells: list[NotebookNode]) -> list[NotebookNode]:
    """Return the cells as a reader leaves them who has found the solutions."""
    cells = copy.deepcopy(cells)
    solutions = (cell.source for cell in cells if "solution" in tags(cell))
    for cell in cells:
        if "exercise" in tags(cell):
            cell.source = f"{imports(cell.source)}\n{definitions(next(solutions))}"
        if "check" in tags(cell):
            cell.metadata["tags"] = ["check"]  # it is no longer meant to fail
    return cells


def imports(blank: str) -> str:
    kinds = ast.Import | ast.ImportFrom
    return "\n".join(ast.unparse(each) for each in ast.parse(blank).body if isinstance(each, kinds))


def definitions(solution: str) -> str:
    """Return what a solution defines, up to its last function or class, without its asserts."""
    body = ast.parse(solution).body
    kinds = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
    last = max(i for i, statement in enumerate(body) if isinstance(statement, kinds))
    return "\n".join(ast.unparse(each) for each in body[: last + 1] if defines(each))


def defines(statement: ast.stmt) -> bool:
    """Return whether a statement gives a name a meaning, and does nothing else."""
    if isinstance(statement, ast.Assign):
        return not any(isinstance(node, ast.Await) for node in ast.walk(statement))
    return not isinstance(statement, ast.Expr | ast.Assert)
