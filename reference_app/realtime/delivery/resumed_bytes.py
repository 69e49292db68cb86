"""How much history a user is sent in a minute, over all sockets that come and go."""

from ..conf import conf
from ..protocol.close_codes import CloseCode, Refusal
from ..protocol.limits import Allowance, Allowances


def make() -> Allowance:
    most = conf.RESUMED_BYTES_PER_MINUTE
    return Allowance(most, burst=most)


allowances = Allowances(make)


def refusal_of(user: str, text: str) -> Refusal | None:
    """Return why a user may not be sent this frame from the history now, or None."""
    wait = allowances.take(user, len(text.encode()))
    if not wait:
        return None
    return Refusal(CloseCode.RATE_LIMITED, "You have been sent too much history.", wait)
