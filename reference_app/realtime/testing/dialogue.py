"""A socket without a server, in the process of the test.

It proves the logic of a consumer, and hides what a server and a browser do to it. `connect` reads
the code of a socket that was never accepted, where a browser reads 1006. A reason always arrives,
and plain Daphne drops it. What a consumer raises comes up in the test, where a client reads 1011.
Nothing is slow, too large or out of order, and no Origin is sent. So try what depends on one of
these against a real server, by `serving.py`.
"""

import json
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from typing import Any

from channels.testing import WebsocketCommunicator
from django.db import close_old_connections

from .patience import PATIENCE


class Socket(WebsocketCommunicator):
    """A client of an application. Frames are JSON."""

    # The first frame, once it was read.
    greeting: dict[str, Any]
    # Of the last entry that was read, or of the greeting.
    position = ""
    # The subprotocol that the application has selected.
    selected: str | None = None

    async def send(self, message: Any) -> None:
        await super().send_to(json.dumps(message))

    async def receive(self) -> dict[str, Any]:
        """Return the next frame."""
        frame = await self.receive_json_from(timeout=PATIENCE)
        self.position = frame.get("position", self.position)
        return frame

    async def closed(self) -> int:
        """Return the code of the close, which comes next."""
        output = await self.receive_output(timeout=PATIENCE)
        assert output["type"] == "websocket.close", output
        return output["code"]

    async def open(self) -> None:
        let_in, self.selected = await self.connect(timeout=PATIENCE)
        assert let_in, "The socket was refused before it was accepted."

    async def leave(self) -> None:
        await self.disconnect(timeout=PATIENCE)


class Visitors:
    """Opens sockets to one application, with the tokens of people.

    `token_of` returns the token of a name.
    """

    def __init__(self, application: Any, token_of: Callable[[str], str]):
        self.application, self.token_of = application, token_of

    @asynccontextmanager
    async def socket(
        self,
        path: str,
        name: str = "",
        *,
        token: str = "",
        to: Any = None,
        headers: Iterable[tuple[bytes, bytes]] = (),
        **options: Any,
    ) -> AsyncIterator[Socket]:
        """Open an accepted socket, and leave in the end."""
        token = token or (self.token_of(name) if name else "")
        client = Socket(to or self.application, path, [*headers, *bearer(token)], **options)
        await client.open()
        try:
            yield client
        finally:
            await client.leave()

    @asynccontextmanager
    async def established(self, path: str, name: str = "", **options: Any) -> AsyncIterator[Socket]:
        """Open a socket that is let in, and read its greeting."""
        async with self.socket(path, name, **options) as client:
            client.greeting = await client.receive()
            assert client.greeting["type"] == "connection.established", client.greeting
            yield client

    def resumed(self, path: str, name: str, position: str) -> Any:
        """Open a socket that goes on after a position."""
        return self.established(f"{path}?position={position}", name)


def bearer(token: str) -> list[tuple[bytes, bytes]]:
    """Return the headers that carry a token."""
    return [(b"authorization", f"Bearer {token}".encode())] if token else []


def close_connections_as_in_production(monkeypatch: Any) -> None:
    """Let a communicator close database connections.

    Channels' own leaves them open, for tests inside a transaction. In other threads they would stay
    open for ever.
    """
    monkeypatch.setattr("channels.testing.application.no_op", close_old_connections)
