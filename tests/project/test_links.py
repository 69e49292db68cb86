"""Every link of the pages and the notebooks leads somewhere."""

import re

import pytest

from tests.project.course import PATHS, TITLES, link, name_of, read
from tests.project.links import is_external, leads_somewhere, pages, targets, text_of
from tests.project.readme import ROOT

each_page = pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
each_notebook = pytest.mark.parametrize("path", PATHS, ids=name_of)


@each_page
def test_relative_links_lead_to_a_file_and_a_heading_in_it(page):
    relative = {target for target in targets(page) if not is_external(target)}
    assert [target for target in relative if not leads_somewhere(target, page)] == []


@pytest.mark.parametrize(
    ("target", "leads"),
    [
        ("tests/README.md", True),
        ("tests/README.md#put-a-test-into-a-lane", True),
        ("#the-course", True),
        ("notebooks/00_start_here.ipynb#Your-turn", True),
        ("tests/READ.md", False),
        ("tests/README.md#no-such-heading", False),
        ("notebooks/00_start_here.ipynb#your-turn", False),
        ("../elsewhere", False),
    ],
)
def test_a_link_to_no_file_or_no_heading_leads_nowhere(target, leads):
    assert leads_somewhere(target, ROOT / "README.md") == leads


@each_page
def test_external_links_are_addresses_that_begin_with_https(page):
    external = [target for target in targets(page) if is_external(target)]
    wrong = [
        target for target in external if not re.fullmatch(r"https://[\w.-]+\.\w+(/\S*)?", target)
    ]
    assert wrong == []


@each_notebook
def test_the_recap_links_to_the_code_and_to_the_test_of_each_thing_seen(path):
    rows = re.findall(r"^\|(.+)\|(.+)\|(.+)\|$", recap(path), re.MULTILINE)[2:]
    assert rows
    for _, code, test in rows:
        assert re.search(r"\]\((\.\./|classroom/|https://github\.com/)", code), code
        assert re.search(r"\]\(\.\./(tests|reference_app/realtime/tests)/", test), test


@each_notebook
def test_the_recap_ends_with_the_notebooks_before_and_after(path):
    stems = [*TITLES]
    here = stems.index(path.stem)
    before = [f"**Previous:** {link(stem)}" for stem in stems[:here][-1:]]
    after = [f"**Next:** {link(stem)}" for stem in stems[here + 1 :][:1]]
    assert recap(path).splitlines()[-1] == " · ".join(before + after)


@each_notebook
def test_every_notebook_that_is_mentioned_is_linked_to(path):
    text = text_of(path)
    linked = set(re.findall(r"\]\((\d\d)_\w+\.ipynb", text))
    mentioned = set(re.findall(r"\bnotebooks? \[?(\d\d)\b", text, re.IGNORECASE))
    assert mentioned - linked - {path.stem[:2]} == set()


def recap(path) -> str:
    """Return the last cell but one, which is the recap."""
    return read(path).cells[-2].source
