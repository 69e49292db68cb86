"""The deployment that is checked, and the ways to open a socket to it."""

import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import SplitResult, urlencode

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus, WebSocketException
from websockets.typing import Subprotocol

from ..protocol.frames import Frame
from ..sockets.carriers import BEARER_SUBPROTOCOL, SUBPROTOCOL
from ..sockets.origins import DEFAULT_PORTS
from .client import ANSWERS, CLOSING, GREETING, PATIENCE, Client
from .options import Options
from .results import FailedError, NotCheckedError, RefusedError, UnreachableError

CARRIERS = ("header", "subprotocol", "query")


class Opening(connect):
    """Opens a socket, and follows no redirect.

    A browser follows none either, and a token must not reach another host.
    """

    def process_redirect(self, exc: Exception) -> Exception:
        return exc


@dataclass(frozen=True)
class Handshake:
    """What a client opens a socket with. `tokens` are by their carriers."""

    address: SplitResult
    tokens: Mapping[str, str]
    origin: str | None = None
    query: Mapping[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        token = {"token": self.tokens["query"]} if "query" in self.tokens else {}
        return self.address._replace(query=urlencode({**self.query, **token})).geturl()

    @property
    def headers(self) -> dict[str, str]:
        """The headers that are not every handshake's. The names are those of HTTP."""
        token, origin = self.tokens.get("header"), self.origin
        headers = {"Authorization": token and f"Bearer {token}", "Origin": origin}
        return {name: value for name, value in headers.items() if value is not None}

    @property
    def subprotocols(self) -> list[Subprotocol] | None:
        if "subprotocol" not in self.tokens:
            return None
        offered = SUBPROTOCOL, BEARER_SUBPROTOCOL + self.tokens["subprotocol"]
        return [*map(Subprotocol, offered)]

    async def connection(self) -> ClientConnection:
        """Open the socket.

        Raises RefusedError for an HTTP status, ssl.SSLError for a certificate that is not trusted,
        and UnreachableError where there is no answer.
        """
        try:
            return await Opening(
                self.url,
                additional_headers=self.headers,
                subprotocols=self.subprotocols,
                compression=None,
                open_timeout=PATIENCE,
                close_timeout=2,
                ping_interval=None,
            )
        except InvalidStatus as refusal:
            raise RefusedError(refusal.response.status_code) from None
        except (WebSocketException, EOFError) as error:
            raise FailedError("the socket to open", f"the handshake failed ({error})") from None
        except ssl.SSLError:
            raise
        except (OSError, ImportError) as error:  # a proxy may need another package
            where = self.address.geturl()
            raise UnreachableError(f"{where} cannot be reached ({error or 'timeout'}).") from None


class Deployment:
    """A server at an address, with the tokens of two users.

    `usual` is the handshake of every check that looks at something else.
    """

    def __init__(self, options: Options):
        self.options = options
        self.usual = Handshake(options.url, {"header": options.token}, self.own_origin)
        # Why a client of this machine does not trust the certificate.
        self.tls_fault = ""

    @property
    def own_origin(self) -> str:
        """The origin of the pages at the deployment's address, as a browser writes it."""
        return self.origin_on(self.options.url.port)

    def origin_on(self, port: int | None) -> str:
        scheme = {"ws": "http", "wss": "https"}[self.options.url.scheme]
        host = self.options.url.netloc.lower().removesuffix(f":{self.options.url.port}")
        is_default = port in (None, DEFAULT_PORTS[scheme])
        return f"{scheme}://{host}" if is_default else f"{scheme}://{host}:{port}"

    def carrying(self, token: str) -> dict[str, str]:
        """Return this token in the usual carrier."""
        return dict.fromkeys(self.usual.tokens, token)

    async def find_way(self) -> None:
        """Find a handshake that is greeted, so that one fault turns one row red and not all.

        Raises UnreachableError where there is none.
        """
        failures = []
        for origin in (self.own_origin, None):
            for carrier in CARRIERS:
                usual = replace(self.usual, tokens={carrier: self.options.token}, origin=origin)
                try:
                    async with self.greeted(tokens=usual.tokens, origin=origin):
                        self.usual = usual
                        return
                except ssl.SSLError as error:
                    self.tls_fault = str(error)
                    return
                except FailedError as failure:
                    failures.append(str(failure))
        raise UnreachableError(f"No socket opens at {self.options.url.geturl()} ({failures[0]}).")

    @asynccontextmanager
    async def opened(self, **changes: Any) -> AsyncIterator[Client]:
        """Open a socket by the usual handshake with these changes.

        Raises RefusedError where the server answers with an HTTP status.
        """
        if self.tls_fault:
            raise NotCheckedError("The certificate is not trusted.")
        handshake = replace(self.usual, **changes)
        async with await handshake.connection() as connection:
            yield Client(connection, self.options.pause)

    @asynccontextmanager
    async def greeted(self, **changes: Any) -> AsyncIterator[Client]:
        """Open a socket, and wait for its greeting."""
        async with self.opened(**changes) as client:
            expected = f"the greeting, {GREETING}"
            frame = await client.frame_of(ANSWERS | {GREETING}, expected)
            if frame["type"] != GREETING:
                raise FailedError(expected, came_instead(frame))
            client.greeting = frame
            yield client

    async def refuses(self, *statuses: int, **changes: Any) -> None:
        """See that a handshake is answered with one of these HTTP statuses."""
        expected = f"HTTP {' or '.join(map(str, statuses))} before the socket opens"
        try:
            async with self.opened(**changes):
                raise FailedError(expected, "the socket opened")
        except RefusedError as refusal:
            if refusal.status not in statuses:
                raise FailedError(expected, f"HTTP {refusal.status} came") from None


def came_instead(frame: Frame) -> str:
    """Say why a socket was closed instead of greeted."""
    if frame["type"] == CLOSING:
        return f"it was closed with {frame.get('code')}, {frame.get('reason')!r}"
    return f"a frame of the type {frame['type']} came"
