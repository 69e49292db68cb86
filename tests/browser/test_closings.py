"""What the demo page does at each close code, in Chromium: what notebook 11 says."""

import json

import pytest

from api.close_codes import CloseCode
from tests.browser.closings import CAUSES, Stage, what_follows
from tests.browser.record import NOTEBOOKS, Record
from tests.wire.fixtures import layer_on
from tests.wire.parts import RedisProcess


@pytest.fixture
def redis():
    """A Redis of the test's own, that can be killed."""
    process = RedisProcess()
    process.start()
    yield process
    process.kill()


@pytest.mark.parametrize(
    ("name", "cause"),
    [
        pytest.param(name, cause, id=f"{name}, {cause.words}")
        for cause in CAUSES
        for name in cause.servers
    ],
)
async def test_page_does_at_each_close_what_the_notebook_says(
    browser, start_app, redis, shared_database, pytestconfig, name, cause
):
    app = start_app(name, cause.application, REDIS_PORT=str(redis.port), **cause.settings)
    async with layer_on(redis.port):
        seen = await what_follows(cause, Stage(app, redis, browser, cause.socket))
    record = Record("page_in_chromium.json", pytestconfig)
    record.holds("closings", name, cause.words, seen=seen)


def test_page_was_seen_at_every_close_code():
    seen = json.loads((NOTEBOOKS / "page_in_chromium.json").read_text())["closings"][
        "config.server"
    ]
    comes_back = {each["code"]: each["wait"] is not None for each in seen.values()}
    assert comes_back == {1006: True} | {code: code.reconnect for code in CloseCode}
