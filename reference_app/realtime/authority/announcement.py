"""Announces to every process that access may have been lost."""

from ..layer.publish import send_after_commit
from ..protocol.groups import ACCESS_GROUP


def announce(**change: str) -> None:
    """Have sockets in every process checked again, once the transaction here has committed.

    `change` names what these sockets have in common, by the fields of an `Access`: `subject`,
    `session`, `user`, `topic`, `key`. The announcement may get lost. Then the periodic check finds
    what has changed.
    """
    send_after_commit(ACCESS_GROUP, {"type": "access.changed", "change": change})
