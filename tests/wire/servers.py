"""Real servers in processes of their own, and what they logged."""

import asyncio
import contextlib
import inspect
import os
import re
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import fakeredis
import httpx
import pytest

from tests.lanes import in_full

# Seconds that a machine under load may take for what usually takes one.
PATIENCE = 60

# The flags with which the page of `realtime/` starts uvicorn.
PAGE = Path(__file__).parents[2] / "reference_app" / "realtime" / "README.md"
UVICORN = re.search(r"^uvicorn (--.+) mysite", PAGE.read_text(), re.MULTILINE)[1].split()

COMMANDS = {
    "daphne": ["-m", "daphne", "-b", "127.0.0.1", "-p", "0"],
    "realtime.server": ["-m", "realtime.server", "-b", "127.0.0.1", "-p", "0"],
    "uvicorn": ["-m", "uvicorn", *UVICORN, "--host", "127.0.0.1", "--port", "0"],
}
# For `parametrize`: the quick lane asks the project's own server, the full lane the others.
EACH_SERVER = ["realtime.server", *in_full(["daphne", "uvicorn"])]
# What servers say when they listen, with the address, and Celery's worker when it waits for work.
READY = re.compile(
    r"(?:Listening on TCP address |(?:[Rr]unning on|Serving|server at|Listening at:) http://)([\d.:]+)"
    r"|running on unix socket (\S+)|celery@(\S+) ready"
)


class ServerProcess:
    """A server process; `log` holds the lines it wrote, `address` where it listens.

    `prefix` is a command that runs another one, for example on another machine.
    """

    def __init__(self, command: list[str], *, prefix: Sequence[str] = (), **environment: str):
        self.log: list[str] = []
        self.address = ""
        self.listens = threading.Event()
        self.process = subprocess.Popen(
            [*prefix, sys.executable, *command],
            env=os.environ | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.reading = threading.Thread(target=self.read, daemon=True)
        self.reading.start()

    def read(self) -> None:
        for line in self.process.stdout:
            self.log.append(line)
            if found := READY.search(line):
                self.address = found[found.lastindex]
                self.listens.set()
        self.listens.set()

    def wait_until_it_listens(self) -> None:
        assert self.listens.wait(PATIENCE) and self.address, "".join(self.log)
        # Some say so before it is true.
        while ":" in self.address and not self.accepts():
            assert self.process.poll() is None, "".join(self.log)

    def accepts(self) -> bool:
        host, _ = self.address.split(":")
        with socket.socket() as knock:
            knock.settimeout(PATIENCE)
            return knock.connect_ex((host, self.port)) == 0

    @property
    def port(self) -> int:
        return int(self.address.rpartition(":")[2])

    @property
    def ws(self) -> str:
        return f"ws://{self.address}"

    @property
    def http(self) -> str:
        return f"http://{self.address}"

    def requests(self, **options) -> httpx.AsyncClient:
        """Return a client for the server's addresses; httpx by itself gives up after 5 s."""
        return httpx.AsyncClient(base_url=self.http, timeout=PATIENCE, **options)

    def wait_until_it_logs(self, words: str) -> None:
        asyncio.run(self.logs(words))

    async def logs(self, words: str) -> None:
        """Wait until a line with these words was logged."""
        await eventually(lambda: any(words in line for line in self.log))

    def stop(self) -> int:
        """Send SIGTERM, and return the exit code."""
        self.process.terminate()
        return self.process.wait(PATIENCE)


@contextlib.contextmanager
def serving(command: list[str], **environment: str) -> Iterator[ServerProcess]:
    with running(command, **environment) as server:
        server.wait_until_it_listens()
        yield server


@contextlib.contextmanager
def running(command: list[str], **environment: str) -> Iterator[ServerProcess]:
    """Run a server that may listen on something else than a TCP address."""
    server = ServerProcess(command, **environment)
    try:
        yield server
    finally:
        server.process.kill()
        server.process.wait()
        server.process.stdout.close()


@contextlib.contextmanager
def real_redis() -> Iterator[int]:
    """Run a redis-server that forgets, and yield its port."""
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("needs redis-server: install it, Debian calls it redis-server")
    port = free_port()
    command = [program, "--port", str(port), "--save", "", "--bind", "127.0.0.1"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        for line in process.stdout:
            if "Ready to accept connections" in line:
                break
        yield port
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


@contextlib.contextmanager
def fake_redis() -> Iterator[int]:
    """Serve a fakeredis, good for the Pub/Sub layer only, and yield its port.

    Over it the core layer lost messages in 9 of 44 tests.
    """
    server = fakeredis.TcpFakeServer(("127.0.0.1", 0))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_address[1]
    server.shutdown()
    server.server_close()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


async def eventually(holds: Callable) -> None:
    """Wait until a predicate, sync or async, holds: for what has no event to await."""
    async with asyncio.timeout(PATIENCE):
        while not await settled(holds()):  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def settled(result):
    return await result if inspect.isawaitable(result) else result
