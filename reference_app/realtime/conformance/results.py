"""What becomes of a check.

FailedError        the deployment breaks the promise
└── RefusedError   it answered a handshake with an HTTP status
NotCheckedError    the promise cannot be checked here
UnreachableError   no socket opens, so nothing can be checked
"""

from enum import StrEnum
from typing import NamedTuple


class FailedError(Exception):
    """A promise is broken, by what was expected and what came instead."""

    def __init__(self, expected: str, came: str):
        super().__init__(f"Expected {expected}, but {came}")


class RefusedError(FailedError):
    """A handshake was answered with an HTTP status, so that no socket opened."""

    def __init__(self, status: int):
        super().__init__("the socket to open", f"HTTP {status} came")
        self.status = status


class NotCheckedError(Exception):
    """A promise cannot be checked, for a reason that the row gives."""


class UnreachableError(Exception):
    """No socket opens, for a reason that the only line of output gives."""


class Outcome(StrEnum):
    PASSED = "passed"
    FAILED = "failed"
    NOT_CHECKED = "not checked"


class Result(NamedTuple):
    """One row of the table."""

    promise: str
    outcome: Outcome
    # Why it failed and what to do, or why it was not checked.
    words: str = ""
