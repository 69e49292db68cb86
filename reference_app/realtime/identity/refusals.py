"""Logs why a token was refused, in one format for sockets, REST and logouts."""

import logging

import jwt

from .errors import TokenError
from .tokens import MAX_LENGTH

logger = logging.getLogger(__name__)


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
