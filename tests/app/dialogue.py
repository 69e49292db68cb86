"""A socket without a server: `WebsocketCommunicator` on the whole application.

It proves logic and flatters behaviour: what clients see of the same is in `tests/wire/`.
"""

import contextlib
import json

from channels.testing import WebsocketCommunicator

from config.asgi import application
from demo.people import ORG_ID
from devrealm.issue import access_token
from tests.wire.servers import PATIENCE

NOTIFICATIONS, EVENTS = "/ws/notifications/", f"/ws/events/{ORG_ID}/"


class Socket(WebsocketCommunicator):
    """Connect, send, receive, silence, leave; frames are JSON."""

    async def send(self, message) -> None:
        await super().send_to(json.dumps(message))

    # Of the last entry that was read, or of the greeting.
    position = ""

    async def receive(self) -> dict:
        frame = await self.receive_json_from(timeout=PATIENCE)
        self.position = frame.get("position", self.position)
        return frame

    async def closed(self) -> int:
        output = await self.receive_output(timeout=PATIENCE)
        assert output["type"] == "websocket.close"
        return output["code"]


@contextlib.asynccontextmanager
async def socket(path, username=None, *, token=None, subprotocols=None, to=application):
    """Open an accepted socket, and leave in the end."""
    token = token or (username and access_token(username))
    headers = [(b"authorization", f"Bearer {token}".encode())] if token else []
    client = Socket(to, path, headers, subprotocols)
    let_in, client.selected = await client.connect(timeout=PATIENCE)
    assert let_in
    try:
        yield client
    finally:
        await client.disconnect(timeout=PATIENCE)


@contextlib.asynccontextmanager
async def established(path, username=None, **options):
    """Open a socket that was let in, its greeting read."""
    async with socket(path, username, **options) as client:
        client.greeting = await client.receive()
        assert client.greeting["type"] == "connection.established"
        yield client


def resumed(path, username, position):
    """Open a socket that goes on after a position."""
    return established(f"{path}?position={position}", username)
