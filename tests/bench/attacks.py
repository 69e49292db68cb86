"""Hostile clients, each of which goes beyond one limit for as long as it runs.

    python -m tests.bench.attacks silent 8000 500 tokens.json

By hand on a socket, because a client library keeps the rules. A client that the server drops comes
back a while later.
"""

import asyncio
import contextlib
import json
import os
import random
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import NamedTuple

from tests.laboratory.audience import ORGANIZATIONS
from tests.wire.raw import bearer, frame, handshake, head

HOST = "127.0.0.1"
EVENTS, NOTIFICATIONS = f"/ws/events/{ORGANIZATIONS['hall']}/", "/ws/notifications/"

# Seconds after which a client that was dropped comes back, and between two steps of one that drips.
PAUSE, DRIP = 5, 1

# Bytes that one write hands to the kernel.
PIECE = 65_536

TEXT, FRAGMENT, PING, FINAL = 0x1, 0x0, 0x9, 0x80


class Client(NamedTuple):
    """A connection of a user, to which nobody listens."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    token: str

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def dropped(self) -> None:
        """Wait until the server hangs up."""
        while await self.reader.read(PIECE):
            pass

    async def open(self, path: str, token: str | None = None) -> None:
        """Ask for a WebSocket, and go on when the server has agreed."""
        await self.send(handshake(path, bearer(token or self.token)))
        await self.reader.readuntil(b"\r\n\r\n")

    async def post(self, length: str, path: str = "/api/me/notifications/") -> None:
        """Begin a request whose body follows."""
        await self.send(head("POST", path, bearer(self.token), length))


async def silent(client: Client) -> None:
    await client.dropped()


async def dripping_head(client: Client) -> None:
    await client.send(b"GET / HTTP/1.1\r\nX-Drip: ")
    while True:
        await client.send(b"x")
        await asyncio.sleep(DRIP)


async def endless_head(client: Client) -> None:
    await client.send(b"GET / HTTP/1.1\r\nX-Long: ")
    while True:
        await client.send(b"x" * PIECE)


async def huge_body(client: Client) -> None:
    await client.post("Content-Length: 419430400")
    while True:
        await client.send(b"x" * PIECE)


async def endless_body(client: Client) -> None:
    await client.post("Transfer-Encoding: chunked")
    while True:
        await client.send(b"%x\r\n%s\r\n" % (PIECE, b"x" * PIECE))


async def dripping_body(client: Client) -> None:
    await client.post("Content-Length: 1000000")
    await client.send(b"x" * 900_000)
    while True:
        await client.send(b"x")
        await asyncio.sleep(DRIP)


async def bodies(client: Client) -> None:
    """Send whole bodies, as large as they may be, one a second."""
    while True:
        await client.post("Content-Length: 1000000")
        await client.send(b"x" * 1_000_000)
        await asyncio.sleep(DRIP)


async def requests(client: Client) -> None:
    while True:
        await client.post("Content-Length: 2")
        await client.send(b"{}")
        await asyncio.sleep(DRIP)


async def deep_json(client: Client) -> None:
    body = b'{"title": "x", "a": ' + b"[" * 980 + b"]" * 980 + b"}"
    while True:
        await client.post(f"Content-Length: {len(body)}")
        await client.send(body)
        await asyncio.sleep(DRIP)


async def refused(client: Client) -> None:
    await client.open(NOTIFICATIONS, "forged")
    await asyncio.sleep(2 * PAUSE)


async def sockets(client: Client) -> None:
    """Open one socket after the other, and keep them all."""
    await client.open(NOTIFICATIONS)
    await client.dropped()


async def messages(client: Client) -> None:
    await client.open(NOTIFICATIONS)
    while True:
        await client.send(frame(FINAL | TEXT, b'{"type": "ping"}') * 100)
        await asyncio.sleep(0.1)


async def bad_messages(client: Client) -> None:
    await client.open(NOTIFICATIONS)
    await client.send(frame(FINAL | TEXT, b"{") * 20)
    await client.dropped()


async def long_messages(client: Client) -> None:
    await client.open(NOTIFICATIONS)
    while True:
        await client.send(frame(FINAL | TEXT, b"x" * 1_000_000))
        await asyncio.sleep(DRIP)


async def unfinished_message(client: Client) -> None:
    await client.open(NOTIFICATIONS)
    await client.send(frame(FINAL | TEXT, b"x" * 970_000, length=1_000_000))
    await client.dropped()


async def unfinished_fragments(client: Client) -> None:
    await client.open(NOTIFICATIONS)
    await client.send(frame(TEXT, b"x"))
    for _ in range(14):
        await client.send(frame(FRAGMENT, b"x" * 65_000))
    await client.dropped()


async def pings(client: Client) -> None:
    await client.open(NOTIFICATIONS)
    while True:
        await client.send(frame(FINAL | PING, b"x") * 100)
        await asyncio.sleep(0.1)


async def resume(client: Client) -> None:
    """Ask for the whole history, and read nothing of it."""
    position = os.environ["POSITION"]
    await client.open(f"{EVENTS}?position={position}")
    await asyncio.sleep(10 * PAUSE)


async def resume_again_and_again(client: Client) -> None:
    """Ask for the whole history, read it, and begin again."""
    position = os.environ["POSITION"]
    await client.open(f"{EVENTS}?position={position}")
    async with asyncio.timeout(PAUSE):
        await client.dropped()


# What one client does, and the limits that it goes beyond.
BEYOND: dict[Callable[[Client], Awaitable[None]], tuple[str, ...]] = {
    silent: ("HEAD_SECONDS", "MAX_PENDING_CONNECTIONS"),
    dripping_head: ("HEAD_SECONDS",),
    endless_head: ("MAX_HEAD_BYTES",),
    huge_body: ("MAX_BODY_BYTES",),
    endless_body: ("MAX_BODY_BYTES",),
    dripping_body: ("BODY_SECONDS",),
    bodies: ("MAX_BODIES_BYTES",),
    requests: ("REQUESTS_PER_MINUTE", "REQUEST_BURST"),
    deep_json: ("MAX_JSON_DEPTH", "REQUESTS_AT_ONCE"),
    refused: (),
    sockets: ("SOCKETS_PER_USER",),
    messages: ("MESSAGES_PER_MINUTE", "MESSAGE_BURST"),
    bad_messages: ("MAX_ERRORS",),
    long_messages: ("MAX_MESSAGE_BYTES",),
    unfinished_message: ("MESSAGE_SECONDS", "MAX_UNFINISHED_BYTES"),
    unfinished_fragments: ("MESSAGE_SECONDS", "MAX_UNFINISHED_BYTES"),
    pings: ("PINGS_PER_MINUTE",),
    resume: ("HISTORY_PAGE_BYTES",),
    resume_again_and_again: ("RESUMED_BYTES_PER_MINUTE",),
}
ATTACKS = {attack.__name__: attack for attack in BEYOND}

# Those in which all clients are one user, whose limit they share.
OF_ONE_USER = {"requests", "sockets", "resume_again_and_again"}


async def attack(name: str, port: int, clients: int, tokens: list[str]) -> None:
    """Run so many clients until this process is killed."""
    owners = tokens[:1] * clients if name in OF_ONE_USER else tokens[:clients]
    await asyncio.gather(*(come_again(ATTACKS[name], port, token) for token in owners))


async def come_again(one: Callable[[Client], Awaitable[None]], port: int, token: str) -> None:
    while True:
        with contextlib.suppress(OSError, EOFError, TimeoutError):
            # A small window, so that the kernel takes little of what the server sends.
            reader, writer = await asyncio.open_connection(HOST, port, limit=PIECE)
            try:
                await one(Client(reader, writer, token))
            finally:
                writer.transport.abort()
        await asyncio.sleep(PAUSE * random.uniform(0.5, 1.5))


if __name__ == "__main__":
    name, port, clients, tokens = sys.argv[1:]
    asyncio.run(attack(name, int(port), int(clients), json.loads(Path(tokens).read_text())))
