"""What the demo page does at each close code, in Chromium: what notebook 12 says."""

import functools
import json

import pytest

from realtime.protocol.close_codes import CloseCode
from tests.browser.chromium import fixture
from tests.browser.closings import CAUSES, Stage, what_follows
from tests.browser.conftest import starting
from tests.record import RECORDED, Record
from tests.wire.fixtures import layer_on


@pytest.fixture(scope="module")
def shared(environment, redis_port):
    """Return a function that returns the server of a name, for causes that are harmless to it."""
    with starting(environment, redis_port) as start_one:
        yield functools.cache(start_one)


@pytest.fixture
def parts(request, redis_port, name, cause):
    """The server, its Redis, and the port of that: of the test's own, but for a harmless cause."""
    if cause.harmless:
        return request.getfixturevalue("shared")(name), None, redis_port
    redis = request.getfixturevalue("own_redis")
    settings = {"REDIS_PORT": str(redis.port)} | cause.settings
    app = request.getfixturevalue("start_app")(name, cause.application, **settings)
    return app, redis, redis.port


@fixture
async def stage(browser, shared_database, begun, parts, cause):
    app, redis, port = parts
    async with layer_on(port):
        yield Stage(app, redis, browser, cause.socket)


@pytest.mark.parametrize(
    ("name", "cause"),
    [
        pytest.param(name, cause, id=f"{name}, {cause.words}")
        for cause in CAUSES
        for name in cause.servers
    ],
)
async def test_page_does_at_each_close_what_the_notebook_says(stage, pytestconfig, name, cause):
    seen = await what_follows(cause, stage)
    # Plain Daphne waits a second for the page's answer to a close, and then the code is lost.
    if name == "realtime.server":
        await stage.each(closes_with_what_was_told)
    record = Record("page_in_chromium.json", pytestconfig)
    record.holds("closings", name, cause.words, seen=seen)


async def closes_with_what_was_told(tap):
    assert [told for code, told in await tap.ends() if code and told and code != told] == []


def test_page_was_seen_at_every_close_code():
    seen = json.loads((RECORDED / "page_in_chromium.json").read_text())["closings"][
        "realtime.server"
    ]
    comes_back = {each["code"]: each["wait"] is not None for each in seen.values()}
    assert comes_back == {1006: True} | {code: code.reconnect for code in CloseCode}
