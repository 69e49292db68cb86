"""The threads for database work."""

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
