"""Logs why a token was refused, in one format for sockets, REST and logouts."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import jwt

from .errors import TokenError
from .tokens import MAX_LENGTH

logger = logging.getLogger(__name__)


@contextmanager
def refusals_logged(token: str) -> Iterator[None]:
    """Log why this token is refused where a TokenError is raised, and raise it further."""
    try:
        yield
    except TokenError as error:
        log_refusal(error, token)
        raise


def log_refusal(error: TokenError, token: str) -> None:
    """Log why a token was refused, and never the token.

    The key id is what the token's header says, and may be forged.
    """
    logger.info("Token refused (%s, key id %.100r): %s", error.code, key_id_in(token), error)


def key_id_in(token: str) -> str | None:
    """Return the key id in a token's header, which is not verified, or None."""
    try:
        return jwt.get_unverified_header(token[:MAX_LENGTH]).get("kid")
    except (jwt.PyJWTError, UnicodeError):
        return None
