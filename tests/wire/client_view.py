"""What a client sees of a server: how a handshake ends, how a socket ends, and what stands still.

What a server holds is told by counting, not from its memory; that it has stopped taking it, by what
it does for another client meanwhile, not by the clock.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidMessage, InvalidStatus

from tests.wire.servers import PATIENCE, ServerProcess, eventually

# Answers to another client, in which a server makes headway with whatever it goes on with.
ROUNDS = 300


@asynccontextmanager
async def opened(server: ServerProcess, path: str, **options) -> AsyncIterator[ClientConnection]:
    """Open a socket, and drop it in the end, however much is on its way."""
    options = {"compression": None, "ping_interval": None, "proxy": None} | options
    socket = await connect(server.ws + path, open_timeout=PATIENCE, **options)
    try:
        yield socket
    finally:
        socket.transport.abort()
        await socket.wait_closed()


async def handshake(server: ServerProcess, path: str, **options) -> str:
    """Say what a server answers to a handshake."""
    try:
        async with opened(server, path, **options):
            return "opens"
    except InvalidStatus as refusal:
        return f"HTTP {refusal.response.status_code}"
    except InvalidMessage:
        return "dropped, without an answer"


async def received(socket: ClientConnection) -> str:
    return await asyncio.wait_for(socket.recv(), PATIENCE)


async def ending(socket: ClientConnection, reason: str = "") -> str:
    """Return the code with which the server closes, and what became of the application's reason."""
    try:
        while True:
            await received(socket)
    except ConnectionClosed:
        return str(socket.close_code) + (reason and f", {fate_of(reason, socket.close_reason)}")


def fate_of(reason: str, arrived: str) -> str:
    if not arrived:
        return "reason lost"
    assert reason.startswith(arrived), arrived
    return "reason kept" if arrived == reason else "reason cut to fit"


class Witness:
    """A socket to a server's applications, which answers what they have noted."""

    def __init__(self, socket: ClientConnection):
        self.socket = socket

    async def tells(self, name: str):
        await self.socket.send(name)
        return json.loads(await received(self.socket))

    async def tells_at_last(self, name: str):
        """Return what is noted under a name, once something is."""

        async def is_noted():
            return await self.tells(name) is not None

        await eventually(is_noted)
        return await self.tells(name)

    async def reaches(self, whole: int, count: Callable[[], Awaitable[int]]) -> bool:
        """Return whether a count becomes so high, or stands still while this socket is served."""
        highest, rounds = -1, 0
        while highest < whole and rounds < ROUNDS:
            await self.tells("anything")
            rounds = rounds + 1 if (now := await count()) == highest else 0
            highest = now
        return highest >= whole


@asynccontextmanager
async def witness(server: ServerProcess) -> AsyncIterator[Witness]:
    async with opened(server, "/tells-what-is-noted/") as socket:
        yield Witness(socket)
