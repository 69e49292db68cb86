"""Which keys share a query, and when it begins."""

import asyncio
import threading

import pytest
from asgiref.sync import sync_to_async
from django.db import OperationalError

from ..concurrency.batched_query import BatchedQuery

pytestmark = pytest.mark.django_db(transaction=True)


class Database:
    """Answers each key with a number; a query ends when it is let go."""

    def __init__(self):
        self.queries = []
        self.number = 1
        self.begun, self.released = threading.Semaphore(0), threading.Semaphore(0)

    def load(self, keys):
        self.queries.append(sorted(keys))
        answer = dict.fromkeys(keys, self.number)
        self.begun.release()
        assert self.released.acquire(timeout=10)
        return answer

    async def begins(self):
        assert await asyncio.to_thread(self.begun.acquire, timeout=10)


@pytest.fixture
def database():
    return Database()


async def test_those_who_ask_during_a_query_share_the_next(database):
    query = BatchedQuery(database.load)
    first = asyncio.create_task(query("a"))
    await database.begins()
    later = [asyncio.create_task(query(key)) for key in "bcb"]
    await asyncio.sleep(0)
    database.released.release(2)
    assert await asyncio.gather(first, *later) == [1, 1, 1, 1]
    assert database.queries == [["a"], ["b", "c"]]


async def test_answer_is_never_older_than_its_question(database):
    query = BatchedQuery(database.load)
    early = asyncio.create_task(query("a"))
    await database.begins()
    database.number = 2
    late = asyncio.create_task(query("a"))
    await asyncio.sleep(0)
    database.released.release(2)
    assert await asyncio.gather(early, late) == [1, 2]


async def test_key_without_an_answer_is_none():
    assert await BatchedQuery(lambda keys: {})("a") is None


async def test_error_reaches_all_who_wait_and_the_next_question_is_asked_anew():
    answers = iter([OperationalError("gone"), {"a": 1}])

    def load(keys):
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    query = BatchedQuery(load)
    both = await asyncio.gather(query("a"), query("b"), return_exceptions=True)
    assert [str(error) for error in both] == ["gone", "gone"]
    assert await query("a") == 1


async def test_one_who_gives_up_does_not_take_the_answer_from_the_others(database):
    query = BatchedQuery(database.load)
    impatient, patient = asyncio.create_task(query("a")), asyncio.create_task(query("b"))
    await database.begins()
    impatient.cancel()
    database.released.release()
    assert await patient == 1


async def test_slow_query_elsewhere_keeps_nobody_waiting(database):
    slow = asyncio.create_task(sync_to_async(database.released.acquire)(timeout=10))
    assert await asyncio.wait_for(BatchedQuery(lambda keys: {"a": 1})("a"), 5) == 1
    database.released.release()
    await slow


def test_query_serves_one_event_loop_after_the_other():
    query = BatchedQuery(lambda keys: dict.fromkeys(keys, 1))
    assert [asyncio.run(query("a")) for _ in range(2)] == [1, 1]
