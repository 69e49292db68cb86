"""Connections that a client makes by hand, byte by byte, to be as hostile as it likes."""

import asyncio
import base64
import contextlib
import json
import os
from collections.abc import AsyncIterator

from tests.wire.servers import PATIENCE, ServerProcess

PATH = "/ws/notifications/"


class Raw:
    """One connection, of which nothing is sent that the test does not send."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter):
        self.reader, self.writer = reader, writer

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def answer(self) -> tuple[int, dict]:
        """Return the status and the JSON of an HTTP answer."""
        async with asyncio.timeout(PATIENCE):
            head = await self.reader.readuntil(b"\r\n\r\n")
            status = int(head.split()[1])
            length = next(
                int(line.split(b":")[1])
                for line in head.lower().splitlines()
                if line.startswith(b"content-length")
            )
            return status, json.loads(await self.reader.readexactly(length))

    async def rest(self) -> bytes:
        """Read until the server hangs up."""
        async with asyncio.timeout(PATIENCE):
            with contextlib.suppress(ConnectionError):
                return await self.reader.read()
        return b""

    async def leave(self) -> None:
        self.writer.transport.abort()
        with contextlib.suppress(OSError):
            await self.writer.wait_closed()


@contextlib.asynccontextmanager
async def connected(
    server: ServerProcess, count: int = 1, address: str = "127.0.0.1"
) -> AsyncIterator[list[Raw]]:
    """Connect so often, and hang up in the end."""
    raws: list[Raw] = []
    try:
        for _ in range(count):
            raws.append(Raw(*await asyncio.open_connection(address, server.port)))
        yield raws
    finally:
        for raw in raws:
            await raw.leave()


def head(method: str, path: str, *headers: str) -> bytes:
    return "\r\n".join([f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", *headers, "", ""]).encode()


def bearer(token: str) -> str:
    """Return the header that carries a token."""
    return f"Authorization: Bearer {token}"


def handshake(path: str = PATH, *headers: str) -> bytes:
    key = base64.b64encode(os.urandom(16)).decode()
    upgrade = ["Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13"]
    return head("GET", path, *upgrade, f"Sec-WebSocket-Key: {key}", *headers)


def frame(first: int, payload: bytes = b"", length: int | None = None) -> bytes:
    """Return a client's frame, masked with zeros, that may announce more than follows."""
    length = len(payload) if length is None else length
    if length < 126:
        size = bytes([0x80 | length])
    elif length < 2**16:
        size = b"\xfe" + length.to_bytes(2, "big")
    else:
        size = b"\xff" + length.to_bytes(8, "big")
    return bytes([first]) + size + bytes(4) + payload
