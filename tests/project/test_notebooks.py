"""What every notebook of the course has in common; nbval proves what each of them says."""

import json
import re
import statistics

import pytest

from tests.nbval_hints import SOLVED
from tests.project.course import (
    PATHS,
    TITLES,
    code_cells,
    command,
    name_of,
    prose,
    read,
    tags,
)
from tests.project.shown import outdated
from tests.regenerate import METADATA

MACHINE_PATH = re.compile(r"(?<![\w.])/(?:home|root|Users|tmp|work|usr|var|opt)/|[A-Z]:\\\\")
TOKEN = re.compile(r"eyJ[\w-]{10,}")

each_notebook = pytest.mark.parametrize("path", PATHS, ids=name_of)


@pytest.fixture
def notebook(path):
    return read(path)


def outputs(notebook, kind):
    return [
        output
        for cell in code_cells(notebook)
        for output in cell.outputs
        if output.output_type == kind
    ]


def lines(cell):
    return [line for line in cell.source.splitlines() if line.strip()]


@each_notebook
def test_cells_were_executed_once_in_order(notebook, path):
    counts = [cell.execution_count for cell in code_cells(notebook)]
    assert counts == list(range(1, len(counts) + 1)), command(path)


@each_notebook
def test_nothing_went_to_stderr(notebook):
    assert [out.text for out in outputs(notebook, "stream") if out.name == "stderr"] == []


@each_notebook
def test_no_path_of_a_machine_and_no_token_is_shown(notebook):
    text = json.dumps(notebook)
    assert MACHINE_PATH.findall(text) == []
    assert TOKEN.findall(text) == []


@each_notebook
def test_metadata_is_the_same_everywhere(notebook, path):
    assert notebook.metadata == METADATA, command(path)
    for cell in notebook.cells:
        assert set(cell.metadata) <= {"tags", "jupyter"}, command(path)


@each_notebook
def test_source_that_is_shown_is_that_of_today(notebook, path):
    assert outdated(notebook) == [], command(path)


@each_notebook
def test_length_is_a_readers(notebook):
    size = [len(lines(cell)) for cell in code_cells(notebook)]
    # 40 to 90 lines are meant, in 25 to 55 cells.
    assert 25 <= len(notebook.cells) <= 60
    assert 40 <= sum(size) <= 120
    assert 2 <= statistics.median(size) <= 4
    assert max(size) <= 20


@each_notebook
def test_prose_and_code_take_turns(notebook):
    kinds = "".join(cell.cell_type[0] for cell in notebook.cells)
    assert "ccc" not in kinds
    words = sum(len(text.split()) for text in prose(notebook))
    # 15 to 25 are meant.
    assert 12 <= words / sum(len(lines(cell)) for cell in code_cells(notebook)) <= 30


@each_notebook
def test_opens_with_a_title_and_a_promise(notebook, path):
    first = notebook.cells[0].source
    assert re.match(rf"# {re.escape(TITLES[path.stem])}\n\n> At the end, .+\.\n", first)
    assert first.count("\n- ") <= 6


@each_notebook
def test_an_expected_error_shows_one_line_live_as_it_is_committed(notebook):
    """The traceback of a cell that fails on purpose would fill two screens."""
    assert "%xmode Minimal" in code_cells(notebook)[0].source


@each_notebook
def test_claims_are_asserted(notebook):
    asserts = [
        line
        for cell in code_cells(notebook)
        for line in lines(cell)
        if line.strip().startswith("assert ")
    ]
    assert 6 <= len(asserts) <= 12


@each_notebook
def test_one_cell_is_meant_to_fail_and_fails(notebook):
    failing = [c for c in code_cells(notebook, "raises-exception") if not is_check(c)]
    assert failing
    for cell in code_cells(notebook):
        failed = any(output.output_type == "error" for output in cell.outputs)
        assert failed == ("raises-exception" in cell.metadata.get("tags", [])), cell.source


def is_check(cell):
    return "check" in cell.metadata.get("tags", [])


@each_notebook
def test_blank_fails_at_its_check_and_the_solution_passes(notebook, path):
    exercises, checks = code_cells(notebook, "exercise"), code_cells(notebook, "check")
    solutions = code_cells(notebook, "solution")
    assert 1 <= len(exercises) == len(checks) == len(solutions) <= 2
    assert not [each for each in exercises if "raises-exception" in tags(each)]
    for check in checks:
        solved = SOLVED.format(path=f"notebooks/{path.name}")
        assert check.outputs, f"{check.source}\n{solved}"
        assert [output.ename for output in check.outputs] == ["AssertionError"], check.source
        assert check.outputs[0].evalue, "A check explains what is missing."
    for solution in solutions:
        assert solution.metadata["jupyter"]["source_hidden"]
        assert "assert " in solution.source
        assert not [o for o in solution.outputs if o.output_type == "error"]


@each_notebook
def test_a_diagram_is_drawn_from_the_run(notebook):
    drawn = [out for out in outputs(notebook, "execute_result") if "text/vnd.mermaid" in out.data]
    assert drawn
    assert all("text/plain" in output.data for output in drawn)
    assert not any("```mermaid" in c.source for c in notebook.cells if c.cell_type == "markdown")


@each_notebook
def test_a_diagram_keeps_its_names_in_sight(notebook):
    """They stand above and below it, and one screen has room for so many arrows."""
    drawn = [out.data for out in outputs(notebook, "execute_result")]
    arrows = [data["text/vnd.mermaid"].count("->>") for data in drawn if "text/vnd.mermaid" in data]
    assert max(arrows) <= 25, "Let recorder.clear() begin another one."


@each_notebook
def test_ends_with_a_recap_and_closes_what_it_opened(notebook):
    headings = re.findall(r"^## (.+)$", "\n".join(c.source for c in notebook.cells), re.MULTILINE)
    assert headings[-1] == "Recap"
    assert "Your turn" in headings
    assert ".close()" in notebook.cells[-1].source


@each_notebook
def test_rules_of_the_course_are_kept(notebook):
    source = "\n".join(cell.source for cell in code_cells(notebook))
    for forbidden in ("nest_asyncio", "sys.path", "DJANGO_ALLOW_ASYNC_UNSAFE", "!pip", "sleep("):
        assert forbidden not in source
    for cell in notebook.cells:
        assert "NBVAL_IGNORE_OUTPUT" not in json.dumps(cell)


def test_the_course_has_all_its_notebooks():
    assert {path.stem for path in PATHS} == {*TITLES}
