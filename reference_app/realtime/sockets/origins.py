"""Decides which pages may open a socket, by the Origin that a browser sends."""

from urllib.parse import urlsplit

from django.conf import settings
from django.http.request import split_domain_port, validate_host

from ..conf import conf
from .carriers import header_values

DEFAULT_PORTS = {"http": 80, "https": 443}

# Scheme, host and port.
Origin = tuple[str, str, int]


def is_allowed_origin(origin: str, scope: dict) -> bool:
    """Whether a page from `origin` may open a socket, because it is the server's own, or listed."""
    parsed = parse_origin(origin)
    allowed = map(parse_origin, conf.ALLOWED_ORIGINS)
    return parsed is not None and (parsed == own_origin(scope) or parsed in allowed)


def own_origin(scope: dict) -> Origin | None:
    """Return the origin of pages that this server delivers, or None where the Host is not ours.

    The scheme is the one the server saw: behind a proxy that ends TLS, list the public origin in
    REALTIME_ALLOWED_ORIGINS.
    """
    host = "".join(header_values(scope, b"host"))
    if not validate_host(split_domain_port(host)[0], settings.ALLOWED_HOSTS):
        return None
    scheme = {"ws": "http", "wss": "https"}[scope.get("scheme", "ws")]
    return parse_origin(f"{scheme}://{host}")


def parse_origin(origin: str) -> Origin | None:
    """Return (scheme, host, port), or None for what is no web origin, such as `null`."""
    try:
        parts = urlsplit(origin)
        port = parts.port or DEFAULT_PORTS.get(parts.scheme)
    except ValueError:
        return None
    return (parts.scheme, parts.hostname, port) if parts.hostname and port else None


async def refuse_handshake(scope, receive, send):
    """Answer a handshake with HTTP 403.

    Channels' WebsocketDenier subscribes to the layer first.
    """
    await receive()
    await send({"type": "websocket.close"})
