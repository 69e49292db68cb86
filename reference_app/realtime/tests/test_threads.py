"""The threads for database work."""

import asyncio
import threading

import pytest
from django.contrib.auth import get_user_model
from django.db import connection

from ..concurrency.threads import Threads


@pytest.mark.django_db(transaction=True)
async def test_thread_keeps_no_log_of_its_queries(settings):
    """A thread that serves sockets would otherwise keep 9,000 of them under DEBUG."""
    settings.DEBUG = True
    threads = Threads(1, "test")

    def ask() -> tuple[int, int]:
        before = len(connection.queries)
        get_user_model().objects.exists()
        return before, len(connection.queries)

    first, second = await threads.run(ask), await threads.run(ask)
    assert first == second
    assert first[1] > first[0] == 0


@pytest.mark.django_db(transaction=True)
async def test_call_that_hangs_delays_no_other():
    threads, gate = Threads(2, "test"), threading.Event()
    hanging = asyncio.create_task(threads.run(gate.wait))
    try:
        assert await asyncio.wait_for(threads.run(lambda: "answered"), 60) == "answered"
        assert not hanging.done()
    finally:
        gate.set()
    assert await hanging
