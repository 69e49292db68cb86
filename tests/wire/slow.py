"""The application with a look-up that takes 3 s: for the time allowed to connect."""

import time

from config.asgi import application  # isort: skip  (sets Django up for the next import)
from api import connection

__all__ = ["application"]


def slow_refusal_of(authority, usual=connection.refusal_of):
    time.sleep(3)
    return usual(authority)


connection.refusal_of = slow_refusal_of
