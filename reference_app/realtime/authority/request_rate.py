"""How many REST requests a user may make, from wherever they come."""

import math

from ..conf import conf
from ..protocol.limits import Allowance, Allowances


def make() -> Allowance:
    return Allowance(conf.REQUESTS_PER_MINUTE, conf.REQUEST_BURST)


allowances = Allowances(make)


def seconds_to_wait(subject: str) -> int:
    """Count one more request of a user, and return 0 or the seconds until the next is allowed."""
    return math.ceil(allowances.take(subject) / 1000)
