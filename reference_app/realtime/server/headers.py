"""Lets a handshake carry a long token on each server, and keeps tokens out of uvicorn's log."""

import logging
import os
import re
import sys
from typing import Any

from ..conf import conf

# Bytes of a header line on uvicorn, more than its parser passes on, which answers the rest with
# HTTP 400.
LONGEST_LINE_ON_UVICORN = 1_048_576


def allow_long_tokens() -> None:
    """Let a header line of a handshake be as long as a token may be, with what stands beside it.

    Over 8 KB uvicorn's handshake hangs, because websockets gives up on the line without an answer;
    over 16 KB Daphne hangs up without an answer, because Twisted does. Our own answer is 4001.
    """
    # Read by websockets when it is imported, which has happened before or will happen later.
    os.environ.setdefault("WEBSOCKETS_MAX_LINE_LENGTH", str(LONGEST_LINE_ON_UVICORN))
    if websockets := sys.modules.get("websockets.http11"):
        longest = int(os.environ["WEBSOCKETS_MAX_LINE_LENGTH"])
        setattr(websockets, "MAX_LINE_LENGTH", longest)  # noqa: B010  (no attribute of a module)
    if twisted := sys.modules.get("twisted.web.http"):
        channel = twisted.HTTPChannel
        channel.MAX_LENGTH = channel.totalHeadersSize = conf.MAX_HEAD_BYTES


class HideTokenFilter(logging.Filter):
    """Takes the token out of log lines, because uvicorn logs the whole URL of a request.

    A client may spell any letter of the name in percent (RFC 3986, 2.1).
    """

    name = "".join(f"(?:{letter}|%{ord(letter):x}|%{ord(letter.upper()):x})" for letter in "token")
    token = re.compile(rf"({name}=)[^&\s]+", re.IGNORECASE)

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            # One by one, because the formatter of uvicorn's access log reads them so.
            record.args = tuple(map(self.hidden, record.args))
        message = record.getMessage()
        if message != (hidden := self.hidden(message)):
            record.msg, record.args = hidden, None
        return True

    def hidden(self, logged: Any) -> Any:
        """Return what is logged, without the token in it."""
        return self.token.sub(r"\1…", logged) if isinstance(logged, str) else logged


def hide_tokens() -> None:
    for name in ("uvicorn.error", "uvicorn.access"):
        logging.getLogger(name).addFilter(HideTokenFilter())
