"""Which lines of a log carry the id of a connection."""

import logging

import pytest

from realtime.concurrency.event_loop import create_shared_task
from realtime.delivery import hub as hub_module
from realtime.monitoring.logs import ConnectionFilter
from realtime.sockets.connection_ids import connection_id, identify
from tests.app.dialogue import NOTIFICATIONS, established, socket
from tests.wire.servers import eventually


@pytest.fixture
def log(caplog):
    """What has the records of the test, each with the id of its connection."""
    caplog.set_level(logging.INFO)
    caplog.handler.addFilter(identified := ConnectionFilter())
    yield caplog
    caplog.handler.removeFilter(identified)


def about(log, words):
    return [record for record in log.records if words in record.getMessage()]


async def test_connection_has_one_id_however_often_it_is_asked_for():
    scope = {}
    assert identify(scope) == identify({**scope}) == connection_id.get()
    assert identify({}) != scope["connection_id"]


async def test_task_for_all_connections_is_about_none():
    connection_id.set("of one")

    async def read():
        return connection_id.get()

    assert await create_shared_task(read()) == ""


@pytest.mark.usefixtures("people", "layer")
async def test_socket_has_a_line_when_it_opens_and_one_when_it_ends(log):
    async with established(NOTIFICATIONS, "alice"):
        (opened,) = about(log, "Socket opened")
    (closed,) = about(log, "Socket closed")
    assert (opened.event, closed.event) == ("socket_opened", "socket_closed")
    assert opened.connection == closed.connection != "-"
    assert (opened.consumer, closed.code) == ("NotificationConsumer", 1000)


@pytest.mark.usefixtures("people", "layer")
async def test_reason_of_a_refusal_has_the_id_of_its_socket(log):
    async with socket(NOTIFICATIONS, token="forged") as client:
        assert (await client.receive())["code"] == await client.closed() == 4001
    (refused,) = about(log, "Socket refused")
    (reason,) = about(log, "Token refused")
    assert reason.connection == refused.connection != "-"
    assert about(log, "Socket opened") == []


@pytest.mark.usefixtures("people", "layer")
async def test_check_of_all_streams_is_about_no_socket(log, monkeypatch, settings):
    settings.REALTIME_TAIL_CHECK_SECONDS = 0.1

    async def fail(names):
        raise OSError

    async with established(NOTIFICATIONS, "alice"):
        monkeypatch.setattr(hub_module, "positions", fail)
        await eventually(lambda: about(log, "gap check failed"))
    assert {each.connection for each in about(log, "gap check failed")} == {"-"}
