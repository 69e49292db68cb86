"""Every code that a socket is closed with, what it means, and what a client should do.

The README's table and the browser client's table are generated from this enum or compared with it.
Codes 4000–4999 are the applications' own (RFC 6455, 7.4.2). For a code it does not know, a client
reads the range, as Centrifugo's clients do: 4000–4499 come back, 4500–4999 stay away.
"""

from enum import IntEnum
from typing import NamedTuple, Self

from .frames import Frame


class Code(IntEnum):
    """A close code, told in words.

    `retry_after_ms` is None where coming back cannot help. A project lists codes of its own, of
    4000–4999, in a subclass.
    """

    meaning: str
    client: str
    retry_after_ms: int | None

    def __new__(cls, number: int, meaning: str, client: str, retry_after_ms: int | None) -> Self:
        code = int.__new__(cls, number)
        code._value_ = number
        code.meaning, code.client, code.retry_after_ms = meaning, client, retry_after_ms
        return code

    @property
    def reconnect(self) -> bool:
        """Whether coming back can help at all."""
        return self.retry_after_ms is not None


class CloseCode(Code):
    """The codes of this folder."""

    INTERNAL_ERROR = 1011, "a bug of ours", "back off, resume", 1000
    RESTART = 1012, "the server restarts", "retry after a random 0 to 5 s", 5000
    UNAUTHORIZED = (
        4001,
        "no valid token: none, bad, expired while open, user disabled or signed out",
        "get a new token, try once; the same again: sign in",
        0,
    )
    FORBIDDEN = 4003, "not a member, or no longer", "stop", None
    UNAVAILABLE = (
        4104,
        "our fault: Keycloak, database or Redis out of reach",
        "back off, keep the token, resume",
        1000,
    )
    TOO_SLOW = 4108, "the client reads or sends too slowly", "reconnect, resume", 0
    RATE_LIMITED = (
        4113,
        "too many messages, or too much history",
        "wait `retry_after_ms`, reconnect",
        10_000,
    )
    TOO_MANY_CONNECTIONS = (
        4504,
        "more sockets than one user may hold in this process",
        "stop, say so",
        None,
    )
    TOO_MANY_ERRORS = 4509, "malformed message after malformed message", "stop, report a bug", None


class Refusal(NamedTuple):
    """Why a socket is closed, by a code for the client's program and a reason for its reader.

    `retry_after_ms` replaces the code's own where more is known.
    """

    code: Code
    reason: str
    retry_after_ms: int | None = None

    def frame(self) -> Frame:
        """Return the `connection.closing` frame, since Daphne drops the reason (daphne#374)."""
        return {
            "type": "connection.closing",
            "code": self.code.value,
            "reason": self.reason,
            "reconnect": self.code.reconnect,
            "retry_after_ms": self.retry_after_ms or self.code.retry_after_ms,
        }


DATABASE_UNAVAILABLE = Refusal(CloseCode.UNAVAILABLE, "The database is out of reach.")
