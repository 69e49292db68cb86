"""The application with a look-up that takes 3 s: for the time allowed to connect."""

import time

from config.asgi import application  # isort: skip  (sets Django up for the next import)
from realtime.authority.access import check_access
from realtime.concurrency.batched_query import BatchedQuery
from realtime.sockets import connection

__all__ = ["application"]


def check_slowly(asked):
    time.sleep(3)
    return check_access(asked)


connection.answer_of = BatchedQuery(check_slowly)
