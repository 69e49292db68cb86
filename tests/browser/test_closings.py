"""What the demo page does at each close code, in Chromium: what notebook 11 says."""

import json

import pytest

from api.close_codes import CloseCode
from tests.browser.closings import CAUSES, Stage, what_follows
from tests.browser.record import NOTEBOOKS, Record
from tests.wire.fixtures import layer_on


@pytest.mark.parametrize(
    ("name", "cause"),
    [
        pytest.param(name, cause, id=f"{name}, {cause.words}")
        for cause in CAUSES
        for name in cause.servers
    ],
)
async def test_page_does_at_each_close_what_the_notebook_says(
    browser, own_redis, start_app, shared_database, pytestconfig, name, cause
):
    app = start_app(name, cause.application, REDIS_PORT=str(own_redis.port), **cause.settings)
    stage = Stage(app, own_redis, browser, cause.socket)
    async with layer_on(own_redis.port):
        seen = await what_follows(cause, stage)
    # Plain Daphne waits a second for the page's answer to a close, and then the code is lost.
    if name == "config.server":
        await stage.each(closes_with_what_was_told)
    record = Record("page_in_chromium.json", pytestconfig)
    record.holds("closings", name, cause.words, seen=seen)


async def closes_with_what_was_told(tap):
    assert [told for code, told in await tap.ends() if code and told and code != told] == []


def test_page_was_seen_at_every_close_code():
    seen = json.loads((NOTEBOOKS / "page_in_chromium.json").read_text())["closings"][
        "config.server"
    ]
    comes_back = {each["code"]: each["wait"] is not None for each in seen.values()}
    assert comes_back == {1006: True} | {code: code.reconnect for code in CloseCode}
