"""The application with a look-up that takes 3 s: for the time allowed to connect."""

import time

from config.asgi import application  # isort: skip  (sets Django up for the next import)
from api import connection

__all__ = ["application"]


def slow_refusals(authorities, usual=connection.refusals):
    time.sleep(3)
    return usual(authorities)


connection.refusals = slow_refusals
