"""The parts that a fault can hit, each a process on a port that stays its own."""

import os
import shutil
import signal
import subprocess
from pathlib import Path

import pytest
import redis

from tests.lanes import MAY_NOT_MOUNT
from tests.wire.servers import COMMANDS, PATIENCE, ServerProcess, free_port


class RedisProcess:
    """A redis-server that forgets; after a kill it starts again empty."""

    def __init__(self):
        self.program = shutil.which("redis-server")
        if self.program is None:
            pytest.skip("needs redis-server: install it, Debian calls it redis-server")
        self.port = free_port()
        self.process: subprocess.Popen | None = None

    def start(self, *more: str) -> None:
        options = ["--port", str(self.port), "--save", "", "--bind", "127.0.0.1", *more]
        self.process = subprocess.Popen([self.program, *options], stdout=subprocess.PIPE, text=True)
        for line in self.process.stdout:
            if "Ready to accept connections" in line:
                return
        raise AssertionError("The redis-server ended before it was ready.")

    def kill(self) -> None:
        """End it, whatever it does, if it runs."""
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process.stdout.close()
            self.process = None

    def freeze(self) -> None:
        """Stop it in its tracks: connections stay, nothing is answered."""
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    def flush(self) -> None:
        """Make it forget everything, the members of groups too."""
        with redis.Redis(host="127.0.0.1", port=self.port) as connection:
            connection.flushall()


class AppServer:
    """Daphne or uvicorn, that can be killed or stopped, and started again on its port."""

    def __init__(self, name: str, application: str, **environment: str):
        self.port = free_port()
        self.command = [*COMMANDS[name][:-1], str(self.port), application]
        self.environment = environment
        self.life: ServerProcess | None = None
        self.log: list[str] = []

    def start(self) -> None:
        self.life = ServerProcess(self.command, **self.environment)
        self.life.wait_until_it_listens()

    def kill(self) -> None:
        """End it with SIGKILL, if it runs: nobody is told."""
        if self.life:
            self.life.process.kill()
            self._bury()

    def stop(self) -> None:
        """End it with SIGTERM, as a deploy does."""
        self.life.process.terminate()
        try:
            self.life.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.life.process.kill()
        self._bury()

    def freeze(self) -> None:
        self.life.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self.life.process.send_signal(signal.SIGCONT)

    def memory(self) -> float:
        """Return the resident memory in MiB."""
        pages = Path(f"/proc/{self.life.process.pid}/statm").read_text().split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE") / 2**20

    def _bury(self) -> None:
        self.life.process.wait()
        self.life.reading.join()
        self.life.process.stdout.close()
        self.log += self.life.log
        self.life = None


def mount_in_memory(folder: Path, *options: str) -> None:
    """Mount a file system that is in memory."""
    if subprocess.run(["mount", "-t", "tmpfs", *options, "tmpfs", folder]).returncode:
        pytest.skip(MAY_NOT_MOUNT)
