"""Decides which pages may open a socket, by the Origin that a browser sends."""

from io import BytesIO
from typing import NamedTuple
from urllib.parse import urlsplit

from django.core.exceptions import DisallowedHost
from django.core.handlers.asgi import ASGIRequest
from django.http.request import split_domain_port

from ..conf import conf
from .carriers import header_values

DEFAULT_PORTS = {"http": 80, "https": 443}


class Origin(NamedTuple):
    """Where a page comes from.

    The port is None where the scheme has no default, as in `capacitor://localhost` of an app.
    """

    scheme: str
    host: str
    port: int | None

    def __str__(self):
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port == DEFAULT_PORTS.get(self.scheme) else f":{self.port}"
        return f"{self.scheme}://{host}{port}"


def is_allowed_origin(origin: str, scope: dict) -> bool:
    """Whether a page from `origin` may open a socket, because it is the server's own, or listed."""
    parsed = parse_origin(origin)
    allowed = map(parse_origin, conf.ALLOWED_ORIGINS)
    return parsed is not None and (parsed == own_origin(scope) or parsed in allowed)


def own_origin(scope: dict) -> Origin | None:
    """Return the origin of this server's own pages, as their browser sees it.

    What a proxy says of it is believed where Django believes it, by SECURE_PROXY_SSL_HEADER,
    USE_X_FORWARDED_HOST and USE_X_FORWARDED_PORT. It is None where the host is not in
    ALLOWED_HOSTS.
    """
    request = request_of(scope)
    try:
        host = request.get_host()
    except DisallowedHost:
        return None
    if not split_domain_port(host)[1]:
        host = f"{host}:{request.get_port()}"
    return parse_origin(f"{request.scheme}://{host}")


def request_of(scope: dict) -> ASGIRequest:
    """Return the handshake as a request of Django's, as far as its origin is concerned."""
    # A content type, which Django would parse, has no meaning in a handshake.
    headers = [header for header in scope["headers"] if header[0] != b"content-type"]
    # Daphne names no scheme. Without a server's address Django's port is "0", the default here.
    scheme = "https" if scope.get("scheme") == "wss" else "http"
    handshake = {"method": "GET", "path": "/", "scheme": scheme, "headers": headers}
    return ASGIRequest(handshake, BytesIO())


def parse_origin(origin: str) -> Origin | None:
    """Return scheme, host and port, or None for what is no web origin, such as `null`."""
    try:
        parts = urlsplit(origin)
        port = parts.port or DEFAULT_PORTS.get(parts.scheme)
    except ValueError:
        return None
    if not (parts.scheme and parts.hostname):
        return None
    return Origin(parts.scheme, parts.hostname, port)


def advice_on(origin: str, scope: dict) -> str:
    """Say which setting decides about an origin that was refused."""
    own, refused = own_origin(scope), parse_origin(origin)
    if own is None:
        host = "".join(header_values(scope, b"host"))
        return f"ALLOWED_HOSTS does not have the host {host!r:.200}."
    if refused and (own.scheme, refused.scheme, refused.host) == ("http", "https", own.host):
        setting = "If a proxy ends TLS, name the header that says so in SECURE_PROXY_SSL_HEADER."
    else:
        setting = "To allow another one, add it to REALTIME_ALLOWED_ORIGINS."
    return f"This server's own is {str(own)!r}. {setting}"


async def refuse_handshake(scope, receive, send):
    """Answer a handshake with HTTP 403.

    Channels' WebsocketDenier subscribes to the layer first.
    """
    await receive()
    await send({"type": "websocket.close"})
