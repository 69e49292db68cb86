"""Chromium's columns of notebook 05's table: what it sees today is what the notebook says."""

import pytest

from tests.browser.measure_refusals import SERVERS, measured
from tests.record import Record


@pytest.mark.parametrize("name", SERVERS)
async def test_chromium_sees_what_the_notebook_says(browser, pytestconfig, name):
    record = Record("seen_in_chromium.json", pytestconfig)
    record.holds(name, seen=await measured(browser, name))
