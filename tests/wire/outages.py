"""What breaks a database, and what a crowd of clients sees of it.

async with crowd(server, 200) as clients:
    …
"""

import asyncio
import contextlib
import sqlite3
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

import httpx
import psycopg
from websockets.asyncio.client import ClientConnection, connect

from classroom import token
from realtime.deadlines import ANSWER_TIMEOUT
from realtime.protocol import frames
from tests.wire.parts import mount_in_memory
from tests.wire.postgresql import PostgreSQL
from tests.wire.servers import PATIENCE, ServerProcess, eventually

PATH, NOTIFY = "/ws/notifications/", "/api/me/notifications/"


class Fault(NamedTuple):
    """What breaks a part, and what mends it, by the names of its methods."""

    begin: str
    end: str


class FullPostgreSQL:
    """Connections that use up all that a PostgreSQL takes."""

    def __init__(self, postgresql: PostgreSQL):
        self.url = postgresql.url
        self.idle: list[psycopg.Connection] = []

    def fill(self) -> None:
        """Take all connections, also those that others have."""
        others = """
            SELECT pg_terminate_backend(pid) FROM pg_stat_activity
            WHERE backend_type = 'client backend' AND application_name <> 'idle'
        """
        while True:
            with contextlib.suppress(psycopg.OperationalError):
                while True:
                    self.idle.append(self._connect())
            if not self.idle[0].execute(others).fetchall():
                return

    def _connect(self) -> psycopg.Connection:
        return psycopg.connect(self.url, application_name="idle", autocommit=True)

    def empty(self) -> None:
        while self.idle:
            self.idle.pop().close()


class SQLiteFile:
    """A database in a file system of its own, which is small."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.url = f"sqlite:///{folder}/db.sqlite3"

    def lock(self) -> None:
        """Hold the write lock, as an open transaction of another process does."""
        file = self.folder / "db.sqlite3"
        self.other = sqlite3.connect(file, check_same_thread=False, isolation_level=None)
        self.other.execute("BEGIN IMMEDIATE")

    def release(self) -> None:
        self.other.close()

    def fill(self) -> None:
        with open(self.folder / "filling", "wb", buffering=0) as file:
            with contextlib.suppress(OSError):
                while True:
                    file.write(b" " * 4096)

    def empty(self) -> None:
        (self.folder / "filling").unlink()


@contextlib.contextmanager
def small_disk(folder: Path) -> Iterator[None]:
    """Mount a file system of a few megabytes."""
    mount_in_memory(folder, "-o", "size=4m")
    try:
        yield
    finally:
        subprocess.run(["umount", folder], check=True)


class Answer(NamedTuple):
    status: int
    word: str | None
    retry_after: str | None


class Clients:
    """Many sockets of Alice's, and her requests."""

    def __init__(self, server: ServerProcess, http: httpx.AsyncClient):
        self.server, self.http = server, http
        self.sockets: list[ClientConnection] = []
        # The titles that each socket has received.
        self.received: dict[ClientConnection, list[str]] = {}
        self.answers: list[Answer] = []
        self.accepted: list[str] = []

    async def open(self) -> ClientConnection:
        """Open one more socket, which raises where it is not greeted."""
        headers = {"Authorization": f"Bearer {token('alice')}"}
        socket = await connect(self.server.ws + PATH, additional_headers=headers)
        greeting = frames.parse(await socket.recv())
        if greeting["type"] != "connection.established":
            await socket.close()
            raise ConnectionRefusedError(greeting["code"])
        self.sockets.append(socket)
        self.received[socket] = []
        return socket

    async def read(self, socket: ClientConnection) -> None:
        async for text in socket:
            frame = frames.parse(text)
            if frame["type"] == "notification":
                self.received[socket].append(frame["notification"]["title"])

    async def post(self) -> str | None:
        """Send a notification, and return its title if it was accepted.

        httpx raises where there is no answer in time.
        """
        title = str(uuid4())
        response = await self.http.post(NOTIFY, json={"title": title}, timeout=ANSWER_TIMEOUT)
        word = response.json().get("error")
        self.answers.append(Answer(response.status_code, word, response.headers.get("Retry-After")))
        if response.status_code != 202:
            return None
        self.accepted.append(title)
        return title

    async def post_each_second(self) -> None:
        async with asyncio.TaskGroup() as posts:
            while True:
                posts.create_task(self.post())
                await asyncio.sleep(1)

    async def all_is_well(self) -> None:
        """Wait until a new socket is let in, and a request is accepted whose frame it receives."""
        while True:
            with contextlib.suppress(ConnectionRefusedError):
                socket = await self.open()
                break
            await asyncio.sleep(0.1)
        reading = asyncio.create_task(self.read(socket))
        while not (title := await self.post()):  # noqa: ASYNC110
            await asyncio.sleep(0.1)
        while title not in self.received[socket]:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        self.sockets.remove(socket)
        await socket.close()
        await reading

    async def meet(self, part: Any, fault: Fault, seconds: int) -> set[Answer]:
        """Post each second while a part is broken, and return how requests were refused.

        Everything has to work again within the time of one answer.
        """
        posting = asyncio.create_task(self.post_each_second())
        await asyncio.to_thread(getattr(part, fault.begin))
        await asyncio.wait([posting], timeout=seconds)
        await asyncio.to_thread(getattr(part, fault.end))
        async with asyncio.timeout(ANSWER_TIMEOUT):
            await self.all_is_well()
        posting.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await posting
        return {answer for answer in self.answers if answer.status != 202}

    async def nothing_is_lost(self) -> None:
        """Wait until each socket has received each notification that was accepted."""
        wanted = {*self.accepted}
        await eventually(lambda: all(wanted <= {*self.received[each]} for each in self.sockets))


@contextlib.asynccontextmanager
async def crowd(server: ServerProcess, number: int) -> AsyncIterator[Clients]:
    """Open so many sockets, and see that none of them is closed."""
    headers = {"Authorization": f"Bearer {token('alice')}"}
    async with server.requests(headers=headers) as http:
        clients = Clients(server, http)
        for _ in range(number):
            await clients.open()
        reading = [asyncio.create_task(clients.read(socket)) for socket in clients.sockets]
        yield clients
        closed = [socket.close_code for socket in clients.sockets if socket.close_code is not None]
        assert closed == []
        async with asyncio.timeout(PATIENCE):
            await asyncio.gather(*(socket.close() for socket in clients.sockets), *reading)
