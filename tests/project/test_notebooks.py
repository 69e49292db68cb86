"""What every notebook of the course has in common; nbval proves what each of them says."""

import json
import re
import statistics

import nbformat
import pytest

from tests.regenerate import METADATA, NOTEBOOKS

PATHS = sorted(NOTEBOOKS.glob("*.ipynb"))

MACHINE_PATH = re.compile(r"(?<![\w.])/(?:home|root|Users|tmp|work|usr|var|opt)/|[A-Z]:\\\\")
TOKEN = re.compile(r"eyJ[\w-]{10,}")

pytestmark = pytest.mark.parametrize("notebook", PATHS, ids=lambda path: path.stem, indirect=True)


@pytest.fixture
def notebook(request):
    return nbformat.read(request.param, as_version=4)


def code_cells(notebook, tag=None):
    return [
        cell
        for cell in notebook.cells
        if cell.cell_type == "code" and (tag is None or tag in cell.metadata.get("tags", []))
    ]


def outputs(notebook, kind):
    return [
        output
        for cell in code_cells(notebook)
        for output in cell.outputs
        if output.output_type == kind
    ]


def lines(cell):
    return [line for line in cell.source.splitlines() if line.strip()]


def test_cells_were_executed_once_in_order(notebook):
    counts = [cell.execution_count for cell in code_cells(notebook)]
    assert counts == list(range(1, len(counts) + 1))


def test_nothing_went_to_stderr(notebook):
    assert [out.text for out in outputs(notebook, "stream") if out.name == "stderr"] == []


def test_no_path_of_a_machine_and_no_token_is_shown(notebook):
    text = json.dumps(notebook)
    assert MACHINE_PATH.findall(text) == []
    assert TOKEN.findall(text) == []


def test_metadata_is_the_same_everywhere(notebook):
    assert notebook.metadata == METADATA
    for cell in notebook.cells:
        assert set(cell.metadata) <= {"tags", "jupyter"}


def test_length_is_a_readers(notebook):
    code = code_cells(notebook)
    size = [len(lines(cell)) for cell in code]
    assert 25 <= len(notebook.cells) <= 60
    assert 40 <= sum(size) <= 110
    assert 2 <= statistics.median(size) <= 4
    assert max(size) <= 20


def test_prose_and_code_take_turns(notebook):
    kinds = "".join(cell.cell_type[0] for cell in notebook.cells)
    assert "ccc" not in kinds
    words = sum(len(c.source.split()) for c in notebook.cells if c.cell_type == "markdown")
    assert 8 <= words / sum(len(lines(cell)) for cell in code_cells(notebook)) <= 30


def test_opens_with_a_title_and_a_promise(notebook):
    first = notebook.cells[0].source
    assert re.match(r"# .+\n\n> At the end, .+\n", first)
    assert first.count("\n- ") <= 6


def test_claims_are_asserted(notebook):
    asserts = [
        line
        for cell in code_cells(notebook)
        for line in lines(cell)
        if line.strip().startswith("assert ")
    ]
    assert 6 <= len(asserts) <= 14


def test_one_cell_is_meant_to_fail_and_fails(notebook):
    failing = [c for c in code_cells(notebook, "raises-exception") if not is_check(c)]
    assert failing
    for cell in code_cells(notebook):
        failed = any(output.output_type == "error" for output in cell.outputs)
        assert failed == ("raises-exception" in cell.metadata.get("tags", [])), cell.source


def is_check(cell):
    return "check" in cell.metadata.get("tags", [])


def test_blank_fails_at_its_check_and_the_solution_passes(notebook):
    exercises, checks = code_cells(notebook, "exercise"), code_cells(notebook, "check")
    solutions = code_cells(notebook, "solution")
    assert 1 <= len(exercises) == len(checks) == len(solutions) <= 2
    for check in checks:
        assert [output.ename for output in check.outputs] == ["AssertionError"], check.source
        assert check.outputs[0].evalue, "A check explains what is missing."
    for solution in solutions:
        assert solution.metadata["jupyter"]["source_hidden"]
        assert "assert " in solution.source
        assert not [o for o in solution.outputs if o.output_type == "error"]


def test_a_diagram_is_drawn_from_the_run(notebook):
    drawn = [out for out in outputs(notebook, "execute_result") if "text/vnd.mermaid" in out.data]
    assert drawn
    assert all("text/plain" in output.data for output in drawn)
    assert not any("```mermaid" in c.source for c in notebook.cells if c.cell_type == "markdown")


def test_ends_with_a_recap_and_closes_what_it_opened(notebook):
    headings = re.findall(r"^## (.+)$", "\n".join(c.source for c in notebook.cells), re.MULTILINE)
    assert headings[-1] == "Recap"
    assert "Your turn" in headings
    assert ".close()" in notebook.cells[-1].source


def test_rules_of_the_course_are_kept(notebook):
    source = "\n".join(cell.source for cell in code_cells(notebook))
    for forbidden in ("nest_asyncio", "sys.path", "DJANGO_ALLOW_ASYNC_UNSAFE", "!pip", "sleep("):
        assert forbidden not in source
    for cell in notebook.cells:
        assert "NBVAL_IGNORE_OUTPUT" not in json.dumps(cell)


def test_files_named_in_the_recap_exist(notebook):
    recap = notebook.cells[-2].source + notebook.cells[-1].source
    named = re.findall(r"`((?:tests|notebooks|realtime|api|demo|frontend)/[^` ]*)`", recap)
    assert any(name.startswith("tests/") for name in named)
    tops = (NOTEBOOKS.parent, NOTEBOOKS.parent / "reference_app")
    missing = [name for name in named if not any((top / name).exists() for top in tops)]
    assert missing == []
