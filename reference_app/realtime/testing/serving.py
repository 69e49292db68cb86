"""A real server in a process of its own, and what it logged.

    with serving([*SERVER, "mysite.asgi:application"], DATABASE_URL=url) as server:
        ...

It reads the database that its settings name, which is not the one of the test. Let your settings
take it from the environment, and pass one that holds what the test needs.
"""

import asyncio
import contextlib
import os
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence

import httpx

from .. import server as this_server
from .patience import PATIENCE, eventually

# The server of this folder, on a free port; an application follows.
SERVER = ["-m", this_server.__name__, "-b", "127.0.0.1", "-p", "0"]

# What servers say when they listen, with the address, and Celery's worker when it waits for work.
READY = re.compile(
    r"(?:Listening on TCP address |(?:[Rr]unning on|Serving|server at|Listening at:) http://)([\d.:]+)"
    r"|running on unix socket (\S+)|celery@(\S+) ready"
)


class ServerProcess:
    """A server process; `log` holds the lines it wrote, `address` where it listens.

    `prefix` is a command that runs another one, for example on another machine, and `python` the
    Python of another environment.
    """

    def __init__(
        self,
        command: list[str],
        *,
        prefix: Sequence[str] = (),
        python: str = sys.executable,
        **environment: str,
    ):
        self.log: list[str] = []
        self.address = ""
        self.listens = threading.Event()
        self.process = subprocess.Popen(
            [*prefix, python, *command],
            env=os.environ | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.reading = threading.Thread(target=self.read, daemon=True)
        self.reading.start()

    def read(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            self.log.append(line)
            if found := READY.search(line):
                self.address = found[found.lastindex or 0]
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
        """Return a client for the server's addresses. By itself httpx gives up after 5 s."""
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
        if server.process.stdout:
            server.process.stdout.close()
