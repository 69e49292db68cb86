"""Reads the command line."""

import argparse
import base64
import json
import re
import shlex
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn
from urllib.parse import SplitResult, urlsplit

# What is left of a token's life at least, in seconds. The checks take less.
LEFT = 30

# A JWT begins with the Base64 of a JSON object.
TOKEN = re.compile(r"e[wy][\w-]{8,}[\w.-]*")


@dataclass(frozen=True)
class Options:
    """What is checked, and how far the checks may go."""

    url: SplitResult
    token: str
    other_token: str
    # Where the user of `other_token` may not listen.
    forbidden_path: str = ""
    # The words of a command that sends one frame to the stream at the URL.
    send_command: Sequence[str] = field(default_factory=list)
    # Seconds in which a socket is left alone.
    idle: float = 8
    # Sockets that are opened at once to find how many a user may have.
    sockets: int = 0
    drain: bool = False
    origin_required: bool = False
    # Seconds before each message.
    pause: float = 0.2


class Parser(argparse.ArgumentParser):
    """Says what is wrong in one line, without a token."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, masked(f"{message}\n"))


def parsed(arguments: Sequence[str] | None = None) -> Options:
    """Return the options of a command line. Exits with 2 and one sentence where it is wrong."""
    parser = made()
    named = vars(parser.parse_args(arguments))
    try:
        check_tokens(named["token"], named["other_token"])
    except ValueError as fault:
        parser.error(str(fault))
    return Options(**named)


def made() -> Parser:
    description = "Checks a deployment against the wire contract. Two sockets are open at most."
    parser = Parser(f"python -m {__package__}", description=description, fromfile_prefix_chars="@")
    add = parser.add_argument
    add("url", type=address, help="where sockets open, as wss://host/ws/notifications/")
    add("--token", required=True, help="of a user who may listen there; @FILE reads arguments")
    add("--other-token", required=True, help="of another user")
    add("--forbidden-path", default="", help="where the other user may not listen")
    add("--send-command", type=shlex.split, default=[], help="sends one frame to that stream")
    add("--idle", type=float, default=8, help="seconds in which a socket is left alone (8)")
    add("--sockets", type=int, default=0, help="open so many at once, until one is refused")
    add("--drain", action="store_true", help="ask you to restart the server")
    add("--origin-required", action="store_true", help="sessions are used")
    return parser


def address(text: str) -> SplitResult:
    url = urlsplit(text)
    if url.scheme not in ("ws", "wss") or not url.hostname or url.query or url.username:
        raise argparse.ArgumentTypeError("write it as wss://host/path/, without a query")
    return url


def check_tokens(token: str, other: str) -> None:
    """Raise ValueError for tokens with which the checks would say nothing."""
    claims, others = claims_of("--token", token), claims_of("--other-token", other)
    if token == other or claims.get("sub", token) == others.get("sub", other):
        raise ValueError("--token and --other-token are of the same user: give two users' tokens.")


def claims_of(name: str, token: str) -> dict[str, Any]:
    try:
        _, payload, _ = token.split(".")
        claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(payload + "=="))
        left = claims.get("exp", time.time() + 2 * LEFT) - time.time()
    except (ValueError, AttributeError, TypeError):
        raise ValueError(f"{name} is no JWT, which has three parts between dots.") from None
    if left < LEFT:
        raise ValueError(f"{name} has expired, or will within {LEFT} s: give a new one.")
    return claims


def masked(text: str) -> str:
    """Return a text without the tokens in it."""
    return TOKEN.sub("…", text)
