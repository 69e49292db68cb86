"""Lets a handshake carry a long token on each server, and keeps tokens out of uvicorn's log."""

import logging
import os
import re
import sys

# Bytes of a handshake's header line. On Daphne, it is all that a client may send before it is
# known. On uvicorn, it is more than its parser passes on, which answers the rest with HTTP 400.
LONGEST_LINE_ON_DAPHNE, LONGEST_LINE_ON_UVICORN = 65_536, 1_048_576


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
        channel.MAX_LENGTH = channel.totalHeadersSize = LONGEST_LINE_ON_DAPHNE


class HideTokenFilter(logging.Filter):
    """Takes the token out of log lines, because uvicorn logs the whole URL of a handshake."""

    token = re.compile(r"(token=)[^&\s\"']+", re.IGNORECASE)

    def filter(self, record: logging.LogRecord) -> bool:
        message = record.getMessage()
        if self.token.search(message):
            record.msg, record.args = self.token.sub(r"\1…", message), None
        return True


def hide_tokens() -> None:
    logging.getLogger("uvicorn.error").addFilter(HideTokenFilter())
