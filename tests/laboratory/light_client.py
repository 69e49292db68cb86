"""A WebSocket client of a few microseconds a frame, so that hundreds fit beside their server.

It knows what this app's servers send, and no more: text in single frames, pings, and a close.
"""

import asyncio
import base64
import os
from collections.abc import Callable

TEXT, CLOSE, PING, PONG = 1, 8, 9, 10

# The connection ended without a close frame; the close frame had no code (RFC 6455, 7.4.1).
ABNORMAL, NO_CODE = 1006, 1005


class LightClient(asyncio.Protocol):
    """One connection; `take` is called with each text, `closed` ends with the close code."""

    def __init__(self, request: bytes, take: Callable[[bytes], None]):
        self.request, self.take = request, take
        self.is_open, self.rest, self.code = False, b"", ABNORMAL
        self.closed = asyncio.get_running_loop().create_future()

    def connection_made(self, transport):
        self.transport = transport
        transport.write(self.request)

    def data_received(self, data):
        data = self.rest + data
        if not self.is_open:
            head, end, data = data.partition(b"\r\n\r\n")
            if not end:
                self.rest = head
                return
            if b" 101 " not in head.partition(b"\r\n")[0]:
                return self.transport.abort()
            self.is_open = True
        self.rest = self._parse(data)

    def connection_lost(self, error):
        if not self.closed.done():
            self.closed.set_result(self.code)

    def _parse(self, data: bytes) -> bytes:
        """Take all frames that are whole, and return what is left."""
        start, end = 0, len(data)
        while end - start >= 2:
            kind, length, body = data[start] & 15, data[start + 1], start + 2
            if length > 125:  # it follows, in two bytes or in eight
                size = 2 if length == 126 else 8
                length, body = int.from_bytes(data[body : body + size], "big"), body + size
            if body + length > end:
                break
            start = body + length
            if kind == TEXT:
                self.take(data[body:start])
            else:
                self._obey(kind, data[body:start])
        return data[start:]

    def _obey(self, kind: int, payload: bytes) -> None:
        if kind == PING:
            self.transport.write(masked(PONG, payload))
        elif kind == CLOSE:
            self.code = int.from_bytes(payload[:2], "big") or NO_CODE
            self.transport.write(masked(CLOSE, payload[:2]))
            self.transport.close()


def masked(kind: int, payload: bytes) -> bytes:
    """Return a client's frame of less than 126 bytes, its mask all zeros."""
    return bytes([0x80 | kind, 0x80 | len(payload), 0, 0, 0, 0]) + payload


def text_frame(payload: bytes) -> bytes:
    """Return a client's text frame of up to 64 KB, its mask all zeros."""
    if len(payload) < 126:
        return masked(TEXT, payload)
    return bytes([0x80 | TEXT, 0x80 | 126]) + len(payload).to_bytes(2, "big") + bytes(4) + payload


def handshake(path: str, token: str) -> bytes:
    """Return the request that opens a WebSocket."""
    lines = [
        f"GET {path} HTTP/1.1",
        "Host: 127.0.0.1",
        "Origin: http://127.0.0.1",
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}",
        "Sec-WebSocket-Version: 13",
        f"Authorization: Bearer {token}",
    ]
    return "\r\n".join([*lines, "", ""]).encode()
