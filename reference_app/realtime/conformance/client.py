"""One end of a socket, which says in words what came instead of what was expected."""

import asyncio
import json
from contextlib import suppress
from typing import Any

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from ..protocol.close_codes import CloseCode
from ..protocol.frames import Frame
from .results import FailedError

# Seconds for an answer. A server that keeps REALTIME_CONNECT_SECONDS needs four at most.
PATIENCE = 10

GREETING, CLOSING = "connection.established", "connection.closing"
# The types of frames that answer a client. Others are the project's own, and may come between.
ANSWERS = frozenset({"pong", "token.refreshed", "error", CLOSING})


class Client:
    """A client of one socket.

    `pause` is the seconds before each message.
    """

    def __init__(self, connection: ClientConnection, pause: float):
        self.connection, self.pause = connection, pause
        self.greeting: Frame = {}

    async def send(self, *messages: str | bytes | dict[str, Any]) -> None:
        """Send text and bytes as they are, and dictionaries as JSON."""
        await asyncio.sleep(self.pause)
        # What the server closed with is read next.
        with suppress(ConnectionClosed):
            for message in messages:
                raw = isinstance(message, str | bytes)
                await self.connection.send(message if raw else json.dumps(message))

    async def frame(self, expected: str) -> Frame:
        """Return the next frame. Raises FailedError where none comes, or no JSON object."""
        try:
            async with asyncio.timeout(PATIENCE):
                text = await self.connection.recv()
        except TimeoutError:
            raise FailedError(expected, f"nothing came within {PATIENCE} s") from None
        except ConnectionClosed:
            raise FailedError(expected, f"the socket closed with {self.close_code}") from None
        with suppress(ValueError):
            if isinstance(frame := json.loads(text), dict):
                return frame
        raise FailedError(expected, f"the frame {text!r:.200} came, which is no JSON object")

    @property
    def close_code(self) -> int:
        # 1006 where the connection ended without a close frame.
        return self.connection.close_code or 1006

    async def frame_of(self, types: frozenset[str], expected: str) -> Frame:
        """Return the next frame of one of these types, and pass over the others."""
        while str((frame := await self.frame(expected)).get("type")) not in types:
            pass
        return frame

    async def gets(self, **wanted: Any) -> Frame:
        """Return the next answer, which has to have these keys with these values."""
        expected = f"a frame with {json.dumps(wanted)}"
        frame = await self.frame_of(ANSWERS, expected)
        if any(json.dumps(frame.get(key)) != json.dumps(value) for key, value in wanted.items()):
            raise FailedError(expected, came(frame))
        return frame

    async def gets_a_pong(self) -> None:
        """See that the socket is still open, and answers."""
        await self.send({"type": "ping", "timestamp": None})
        await self.gets(type="pong")

    async def is_closed_with(self, code: CloseCode) -> None:
        """See that `connection.closing` with this code comes first, and the close then."""
        frame = await self.frame_of(ANSWERS | {GREETING}, words_of_closing(code))
        await self.is_ended_by(frame, code)

    async def is_ended_by(self, frame: Frame, code: CloseCode) -> None:
        """See that a frame closes with this code, and that the socket does too, at once."""
        if not is_closing(frame, code):
            raise FailedError(words_of_closing(code), came(frame))
        if await self.ends_with(code):
            raise FailedError(f"{CLOSING} to be the last frame", "another one came after it")

    async def ends_with(self, code: CloseCode, patience: float = PATIENCE) -> int:
        """Return how many frames come before the server closes.

        Raises FailedError for another close code.
        """
        expected, frames = f"the socket to close with {code.value}", 0
        try:
            async with asyncio.timeout(patience):
                while True:
                    await self.connection.recv()
                    frames += 1
        except TimeoutError:
            raise FailedError(expected, f"it was open after {patience:g} s") from None
        except ConnectionClosed:
            if self.close_code != code:
                raise FailedError(expected, f"it closed with {self.close_code}") from None
            return frames


def is_closing(frame: Frame, code: CloseCode) -> bool:
    """Whether a frame is `connection.closing` with this code, and all its keys."""
    reason, wait = frame.get("reason"), frame.get("retry_after_ms")
    return (
        (frame["type"], frame.get("code")) == (CLOSING, code)
        and isinstance(reason, str)
        and reason != ""
        and frame.get("reconnect") is code.reconnect
        and (type(wait) is int if code.reconnect else wait is None)
    )


def words_of_closing(code: CloseCode) -> str:
    reconnect, wait = json.dumps(code.reconnect), "a number" if code.reconnect else "null"
    return (
        f"{CLOSING} with the code {code.value}, a reason, reconnect: {reconnect}, "
        f"and retry_after_ms: {wait}"
    )


def came(frame: Frame) -> str:
    text = json.dumps(frame)
    return f"{text if len(text) <= 200 else text[:199] + '…'} came"
