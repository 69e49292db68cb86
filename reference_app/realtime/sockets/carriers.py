"""Finds the access token that a handshake carries."""

from collections.abc import Iterator
from urllib.parse import parse_qs

from ..conf import conf
from ..identity.errors import InvalidTokenError, MissingTokenError

# The subprotocol the server selects. A browser offers it beside `bearer.<jwt>`: Chromium fails a
# connection whose offer is not answered, and the token must not be echoed.
SUBPROTOCOL = "realtime.v1"
BEARER_SUBPROTOCOL = "bearer."


def find_token(scope: dict) -> str:
    """Return the token that the handshake carries.

    Raises a TokenError for none, or for two.
    """
    tokens = set(carried_tokens(scope))
    if not tokens:
        raise MissingTokenError()
    if len(tokens) > 1:
        raise InvalidTokenError("tokens_disagree", "Two tokens that differ were sent.")
    return tokens.pop()


def carried_tokens(scope: dict) -> Iterator[str]:
    """Yield the token of every carrier in use, which are header, subprotocol and query."""
    for value in header_values(scope, b"authorization"):
        scheme, _, token = value.partition(" ")
        if scheme.lower() == "bearer":
            yield token.strip()
    for offered in scope.get("subprotocols", []):
        if offered.startswith(BEARER_SUBPROTOCOL):
            yield offered.removeprefix(BEARER_SUBPROTOCOL)
    if conf.TOKEN_IN_QUERY:
        yield from parse_qs(scope.get("query_string", b"").decode("latin1")).get("token", [])


def selected_subprotocol(scope: dict) -> str | None:
    """Return the subprotocol that the server accepts with, or None where it is not offered."""
    return SUBPROTOCOL if SUBPROTOCOL in scope["subprotocols"] else None


def header_values(scope: dict, name: bytes) -> list[str]:
    """Return every value of a header.

    ASGI header names are lower case.
    """
    return [value.decode("latin1") for key, value in scope.get("headers", []) if key == name]
