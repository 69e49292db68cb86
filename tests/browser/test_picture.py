"""The README's picture of the page is taken here; what it shows is compared as text."""

import json

from tests.browser.demo_page import flawless
from tests.browser.picture import PICTURES, made_of, pose, take
from tests.record import RECORDED, Record
from tests.wire.fixtures import demo_served


async def test_page_looks_as_in_the_readme(browser, tmp_path, pytestconfig):
    with demo_served(tmp_path) as demo:
        async with flawless(browser) as page:
            shown = await pose(page, demo)
            pictures = {scheme: await take(page, scheme) for scheme in PICTURES}
    assert pictures["light"] != pictures["dark"]
    record = Record("page_in_chromium.json", pytestconfig)
    record.holds("picture", seen={"made of": made_of(), "shows": shown.splitlines()})
    for scheme, picture in pictures.items():
        record.keeps(PICTURES[scheme], picture)


def test_picture_is_no_older_than_the_page():
    seen = json.loads((RECORDED / "page_in_chromium.json").read_text())
    again = "Run: .venv/bin/pytest -n0 --full --record tests/browser/test_picture.py"
    assert seen["picture"]["made of"] == made_of(), again
