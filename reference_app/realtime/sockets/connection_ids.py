"""A name for each connection, by which the lines of a log belong together."""

import secrets
from contextvars import ContextVar

# Of the connection that the running task belongs to.
connection_id: ContextVar[str] = ContextVar("connection_id", default="")


def identify(scope: dict) -> str:
    """Return the id of a connection, and let the log records of this task carry it."""
    identity: str = scope.setdefault("connection_id", secrets.token_hex(4))
    connection_id.set(identity)
    return identity
