"""From the scope of a handshake to `scope["user"]`: which page may ask, and who is asking."""

import logging
import re
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

from channels.db import database_sync_to_async
from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.db import DatabaseError
from django.http.request import split_domain_port, validate_host

from .admission import admission
from .authority import Authority, standing_of
from .close_codes import CloseCode, Refusal
from .models import Identity
from .tokens import InvalidTokenError, KeysUnavailableError, MissingTokenError, TokenError, averify

logger = logging.getLogger(__name__)

# The subprotocol the server selects. A browser offers it beside `bearer.<jwt>`: Chromium fails a
# connection whose offer is not answered, and the token must not be echoed.
SUBPROTOCOL = "realtime.v1"
BEARER_SUBPROTOCOL = "bearer."

DEFAULT_PORTS = {"http": 80, "https": 443}


class AllowedOriginsValidator:
    """Refuses with HTTP 403 a page whose origin, scheme, host and port, is not allowed.

    It stands where the guide has `AllowedHostsOriginValidator`, which compares host names only and
    refuses every client without an Origin. Only browsers send one, always (RFC 6455, 10.2), and no
    cookie is read here: whoever sends none has no ambient authority to abuse, and is let through.
    """

    def __init__(self, application):
        self.application = application

    async def __call__(self, scope, receive, send):
        for origin in header_values(scope, b"origin"):
            if not is_allowed_origin(origin, scope):
                logger.warning("Refused a WebSocket from origin %.200r", origin)
                return await refuse_handshake(scope, receive, send)
        return await self.application(scope, receive, send)


async def refuse_handshake(scope, receive, send):
    """Answer a handshake with HTTP 403; Channels' WebsocketDenier subscribes to the layer first."""
    await receive()
    await send({"type": "websocket.close"})


def is_allowed_origin(origin: str, scope: dict) -> bool:
    """Whether a page from `origin` may open a socket: the server's own pages, and those listed."""
    parsed = parse_origin(origin)
    allowed = map(parse_origin, getattr(settings, "WEBSOCKET_ALLOWED_ORIGINS", []))
    return parsed is not None and (parsed == own_origin(scope) or parsed in allowed)


def own_origin(scope: dict) -> tuple | None:
    """Return the origin of pages that this server delivers, or None where the Host is not ours.

    The scheme is the one the server saw: behind a proxy that ends TLS, list the public origin in
    WEBSOCKET_ALLOWED_ORIGINS.
    """
    host = "".join(header_values(scope, b"host"))
    if not validate_host(split_domain_port(host)[0], settings.ALLOWED_HOSTS):
        return None
    scheme = {"ws": "http", "wss": "https"}[scope.get("scheme", "ws")]
    return parse_origin(f"{scheme}://{host}")


def parse_origin(origin: str) -> tuple | None:
    """Return (scheme, host, port), or None for what is no web origin, such as `null`."""
    try:
        parts = urlsplit(origin)
        port = parts.port or DEFAULT_PORTS.get(parts.scheme)
    except ValueError:
        return None
    return (parts.scheme, parts.hostname, port) if parts.hostname and port else None


class JWTAuthMiddleware:
    """Sets `scope["user"]` and `scope["token"]`, the verified claims, from an access token.

    It refuses nobody by itself, because a client can only read a code from a socket that was
    accepted: without a valid token the user is anonymous, the token is None, and
    `scope["refusal"]` says why for the consumer to tell.
    """

    def __init__(self, application):
        self.application = application

    async def __call__(self, scope, receive, send):
        scope = dict(scope, user=AnonymousUser(), token=None, refusal=None)
        try:
            async with admission(scope, "user"):
                claims = await averify(find_token(scope))
                scope["user"] = await load_user(claims)
                scope["token"] = claims
        except KeysUnavailableError as error:
            scope["refusal"] = Refusal(CloseCode.UNAVAILABLE, str(error))
        except TokenError as error:
            scope["refusal"] = Refusal(CloseCode.UNAUTHORIZED, str(error))
        except (DatabaseError, TimeoutError) as error:
            logger.error("No user could be loaded: %r", error)
            scope["refusal"] = Refusal(CloseCode.UNAVAILABLE, "The database is out of reach.")
        return await self.application(scope, receive, send)


async def load_user(claims: dict):
    """Return the active Django user of verified claims, made at the first visit.

    Raises InvalidTokenError where the user is disabled, or the session was signed out.
    """
    standing = await standing_of(Authority.of(claims))
    if not standing.refusal:
        return standing.user
    # Whoever is new is welcomed, and whoever is refused is told why.
    return await database_sync_to_async(Identity.objects.active_user)(claims)


def find_token(scope: dict) -> str:
    """Return the token that the handshake carries; raises a TokenError for none, or for two."""
    tokens = set(carried_tokens(scope))
    if not tokens:
        raise MissingTokenError()
    if len(tokens) > 1:
        raise InvalidTokenError("tokens_disagree", "Two tokens that differ were sent.")
    return tokens.pop()


def carried_tokens(scope: dict) -> Iterator[str]:
    """Yield the token of every carrier in use: header, subprotocol, query."""
    for value in header_values(scope, b"authorization"):
        scheme, _, token = value.partition(" ")
        if scheme.lower() == "bearer":
            yield token.strip()
    for offered in scope.get("subprotocols", []):
        if offered.startswith(BEARER_SUBPROTOCOL):
            yield offered.removeprefix(BEARER_SUBPROTOCOL)
    if getattr(settings, "WEBSOCKET_TOKEN_IN_QUERY", True):
        yield from parse_qs(scope.get("query_string", b"").decode("latin1")).get("token", [])


def header_values(scope: dict, name: bytes) -> list[str]:
    """Return every value of a header; ASGI header names are lower case."""
    return [value.decode("latin1") for key, value in scope.get("headers", []) if key == name]


class HideTokenFilter(logging.Filter):
    """Takes the token out of log lines: uvicorn logs the whole URL of a handshake."""

    token = re.compile(r"(token=)[^&\s\"']+", re.IGNORECASE)

    def filter(self, record: logging.LogRecord) -> bool:
        message = record.getMessage()
        if self.token.search(message):
            record.msg, record.args = self.token.sub(r"\1…", message), None
        return True
