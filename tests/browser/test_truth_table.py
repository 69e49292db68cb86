"""Chromium's columns of notebook 05's table: what it sees today is what the notebook says."""

import json

import pytest

from tests.browser.measure import SEEN, SERVERS, measured

MEASURE_AGAIN = """
Chromium sees it differently from what notebook 05 says.
If that is right: python -m tests.browser.measure && python -m tests.regenerate"""


@pytest.mark.parametrize("name", SERVERS)
async def test_chromium_sees_what_the_notebook_says(browser, name):
    assert await measured(browser, name) == json.loads(SEEN.read_text())[name], MEASURE_AGAIN
