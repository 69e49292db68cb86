"""The links of pages and notebooks, and whether they lead somewhere."""

import re
from pathlib import Path

from tests.project.course import read
from tests.project.readme import ROOT

FENCES = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"""\]\(([^)\s]+)\)|(?:src|srcset|href)="([^"]+)\"""")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


def pages() -> list[Path]:
    """Return the pages of this project, and its notebooks."""
    places = ("*.md", ".github/*.md", "tests/**/*.md", "reference_app/*/*.md", "reference_app/*.md")
    return sorted({path for place in places for path in ROOT.glob(place)}) + sorted(
        ROOT.glob("notebooks/*.ipynb")
    )


def text_of(page: Path) -> str:
    """Return the Markdown of a page or a notebook, without its code."""
    if page.suffix == ".ipynb":
        cells = [cell.source for cell in read(page).cells if cell.cell_type == "markdown"]
        return FENCES.sub("", "\n\n".join(cells))
    return FENCES.sub("", page.read_text())


def targets(page: Path) -> list[str]:
    return [markdown or html for markdown, html in LINK.findall(text_of(page))]


def is_external(target: str) -> bool:
    return re.match(r"[a-z]+:", target) is not None


def leads_somewhere(target: str, page: Path) -> bool:
    """Return whether a relative link names a file or a folder, and a heading in it."""
    path, _, heading = target.partition("#")
    there = (page.parent / path).resolve() if path else page
    if not there.exists() or not there.is_relative_to(ROOT):
        return False
    return not heading or heading in anchors(there)


def anchors(page: Path) -> set[str]:
    """Return the names of a page's headings in links: GitHub's, or JupyterLab's for a notebook."""
    headings = HEADING.findall(text_of(page))
    if page.suffix == ".ipynb":
        return {heading.replace(" ", "-") for heading in headings}
    return {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}
