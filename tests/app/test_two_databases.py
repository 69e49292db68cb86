"""A send in a transaction on another database than the one of the streams."""

import pytest
from django.db import transaction

from realtime.models import PendingEntry
from realtime.tests.test_outbox import kept, sent

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "other"])


@pytest.mark.parametrize("rolled_back", [False, True], ids=["committed", "rolled back"])
def test_transaction_on_another_database_is_waited_for(published, rolled_back):
    with transaction.atomic(using="other"):
        assert sent("a", 1, 2) == []
        assert not PendingEntry.objects.exists()
        transaction.set_rollback(rolled_back, using="other")
    expected = [] if rolled_back else [1, 2]
    assert kept("a") == expected
    assert [entry.offset for entry in published] == expected


def test_transaction_of_the_streams_database_decides_where_both_are_open(published):
    with transaction.atomic(using="other"):
        with transaction.atomic():
            sent("a", 1)
        assert kept("a") == [1]
        transaction.set_rollback(True, using="other")
    assert kept("a") == [1]
