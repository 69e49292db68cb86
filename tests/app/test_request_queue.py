"""How many requests a process works on at a time, and when the next one has its turn."""

import asyncio
import json

import pytest

from realtime.http import request_queue
from realtime.http.request_queue import RequestQueue

START = {"type": "http.response.start", "status": 200, "headers": []}


class Worked:
    """An application that begins its response when it is told, and ends when it is told."""

    def __init__(self):
        self.at_work = self.most = 0
        self.may_begin, self.may_end = asyncio.Event(), asyncio.Event()

    async def __call__(self, scope, receive, send):
        self.at_work += 1
        self.most = max(self.most, self.at_work)
        await self.may_begin.wait()
        self.at_work -= 1
        await send(START)
        await self.may_end.wait()
        await send({"type": "http.response.body", "body": b""})


async def ask(application, kind="http"):
    sent = []

    async def send(event):
        sent.append(event)

    await application({"type": kind}, None, send)
    return sent


@pytest.fixture
def two_at_once(settings):
    settings.REALTIME_REQUESTS_AT_ONCE = 2


async def settle():
    """Let every task run until it waits."""
    for _ in range(10):
        await asyncio.sleep(0)


@pytest.mark.usefixtures("two_at_once")
async def test_so_many_requests_are_worked_on_and_the_others_have_their_turn():
    worked = Worked()
    worked.may_end.set()
    asking = [asyncio.create_task(ask(RequestQueue(worked))) for _ in range(5)]
    await settle()
    assert worked.at_work == 2
    worked.may_begin.set()
    answers = await asyncio.gather(*asking)
    assert [sent[0]["status"] for sent in answers] == [200] * 5
    assert worked.most == 2


@pytest.mark.usefixtures("two_at_once")
async def test_response_that_has_begun_keeps_no_other_request_waiting():
    worked = Worked()
    worked.may_begin.set()
    asking = [asyncio.create_task(ask(RequestQueue(worked))) for _ in range(5)]
    await settle()
    assert request_queue.turns()._value == 2
    worked.may_end.set()
    assert [len(sent) for sent in await asyncio.gather(*asking)] == [2] * 5
    assert request_queue.turns()._value == 2


@pytest.mark.usefixtures("two_at_once")
async def test_request_that_waits_too_long_is_answered_503(monkeypatch):
    monkeypatch.setattr(request_queue, "TURN_TIMEOUT", 0.01)
    worked = Worked()
    asking = [asyncio.create_task(ask(RequestQueue(worked))) for _ in range(2)]
    await settle()
    start, body = await ask(RequestQueue(worked))
    assert (start["status"], json.loads(body["body"])["error"]) == (503, "busy")
    worked.may_begin.set()
    worked.may_end.set()
    await asyncio.gather(*asking)
    assert (await ask(RequestQueue(worked)))[0]["status"] == 200


@pytest.mark.usefixtures("two_at_once")
async def test_turn_of_a_request_that_fails_or_is_cancelled_ends():
    async def fail(scope, receive, send):
        raise ValueError

    for _ in range(3):
        with pytest.raises(ValueError):
            await ask(RequestQueue(fail))
    worked = Worked()
    for _ in range(3):
        asking = asyncio.create_task(ask(RequestQueue(worked)))
        await settle()
        asking.cancel()
        await asyncio.wait([asking])
    assert request_queue.turns()._value == 2


@pytest.mark.usefixtures("two_at_once")
async def test_what_is_no_request_needs_no_turn():
    worked = Worked()
    asking = [asyncio.create_task(ask(RequestQueue(worked), "lifespan")) for _ in range(5)]
    await settle()
    assert worked.at_work == 5
    for task in asking:
        task.cancel()
    await asyncio.wait(asking)
