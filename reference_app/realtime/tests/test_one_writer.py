"""A second writer on SQLite is told in a sentence that there is one only."""

import pytest
from django.db import OperationalError, connection, transaction

from .test_outbox import in_thread, kept, sent

pytestmark = pytest.mark.django_db(transaction=True)


def impatient(work, *arguments):
    """Run as a connection that waits for the lock for 50 ms."""
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA busy_timeout = 50")
    return work(*arguments)


def test_thread_of_a_transaction_that_waits_for_it_is_told_that_there_is_one(published):
    with transaction.atomic():
        sent("a", 1)
        with pytest.raises(OperationalError, match="holds SQLite's only write lock"):
            in_thread(impatient, sent, "a", 2).result()
    assert kept("a") == [1]
