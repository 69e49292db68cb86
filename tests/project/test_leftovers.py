"""What a run of a notebook leaves behind does not disturb the next run in the same kernel."""

import asyncio
import logging

import pytest
from django.db.models.signals import post_save

from classroom import servers
from classroom.leftovers import (
    clear_away,
    closed,
    left_open,
    loggers_at_first,
    opened,
    remember_loggers,
)


@pytest.fixture(autouse=True)
def loggers_of_other_tests_are_left_alone():
    yield
    loggers_at_first.clear()


@pytest.fixture
def receiver():
    def receiver(**kwargs): ...

    post_save.connect(receiver)
    yield receiver
    post_save.disconnect(receiver)


def is_connected(receiver) -> bool:
    return any(each[1]() is receiver for each in post_save.receivers)


async def test_a_receiver_that_a_notebook_defined_is_disconnected(receiver):
    receiver.__module__ = "__main__"
    await clear_away()
    assert not is_connected(receiver)


async def test_a_receiver_of_an_app_stays_connected(receiver):
    await clear_away()
    assert is_connected(receiver)


async def test_a_logger_is_again_what_it_was_at_first():
    logger = logging.getLogger("tests.leftovers")
    remember_loggers()
    logger.addFilter(print)
    logger.addHandler(logging.NullHandler())
    logger.setLevel(logging.ERROR)
    logger.propagate = False
    await clear_away()
    assert (logger.filters, logger.handlers) == ([], [])
    assert (logger.level, logger.propagate) == (logging.NOTSET, True)


class Thing:
    def __init__(self, closes: list):
        self.closes = closes
        opened(self)

    async def aclose(self):
        self.closes.append(self)
        raise OSError("Closed already.")


async def test_what_is_open_is_closed_the_last_first_and_what_was_closed_is_left_alone():
    closes = []
    server, client, gone = Thing(closes), Thing(closes), Thing(closes)
    closed(gone)
    await clear_away()
    assert closes == [client, server]
    assert not left_open


async def test_a_cell_that_receives_again_says_what_to_do(monkeypatch):
    monkeypatch.setattr(servers, "PATIENCE", 0.01)
    with pytest.raises(TimeoutError, match="Run all cells"):
        await servers.Client(NothingComes()).receive()


class NothingComes:
    async def recv(self):
        await asyncio.Event().wait()


async def test_a_cell_that_connects_to_a_closed_server_says_what_to_do():
    with pytest.raises(AssertionError, match="Run the cell with `serve` again"):
        await servers.Room.connect(object(), "/ws/notifications/")


async def test_a_task_that_a_cell_has_begun_is_cancelled_and_others_go_on():
    from channels.worker import Worker

    of_a_cell = asyncio.create_task(Worker(None, [], NothingToRead()).listener("reports"))
    other = asyncio.create_task(asyncio.Event().wait())
    await clear_away()
    assert of_a_cell.cancelled()
    assert not other.done()
    other.cancel()


class NothingToRead:
    async def receive(self, channel):
        await asyncio.Event().wait()
