"""How many REST requests a user may make, from wherever they come."""

import math

from ..conf import conf
from ..protocol.limits import Allowance, Allowances


def make() -> Allowance:
    return Allowance(conf.REQUESTS_PER_MINUTE, conf.REQUEST_BURST)


allowances = Allowances(make)


class TooManyRequestsError(Exception):
    """A user has made more requests than are allowed.

    `wait` is in seconds, after which some more are.
    """

    def __init__(self, wait: int):
        super().__init__("You send too many requests.")
        self.wait = wait


def count_request(subject: str) -> None:
    """Count one more request of a user.

    Raises TooManyRequestsError where it is one too many.
    """
    if wait := math.ceil(allowances.take(subject) / 1000):
        raise TooManyRequestsError(wait)
