"""The application with a look-up that takes 3 s: for the time allowed to connect."""

import time

from config.asgi import application  # isort: skip  (sets Django up for the next import)
from api import authority, connection
from api.lookup import Lookup

__all__ = ["application"]


def slow_standings(asked):
    time.sleep(3)
    return authority.standings(asked)


connection.standing_of = Lookup(slow_standings)
