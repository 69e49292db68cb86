"""The parts that a fault can hit, each a process on a port that stays its own."""

import itertools
import os
import shutil
import signal
import subprocess
from collections.abc import Sequence
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
        self.run([self.program, *options], "Ready to accept connections")

    def run(self, command: list[str], ready: str) -> None:
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        for line in self.process.stdout:
            if ready in line:
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


class Sentinels:
    """One Redis or several, each with a replica, and three Sentinels that watch them by name.

    Each is at `address`, and the Sentinels name it to their clients.
    """

    NAME = "main"

    def __init__(
        self,
        folder: Path,
        password: str,
        names: Sequence[str] = (NAME,),
        address: str = "127.0.0.1",
    ):
        self.folder, self.password, self.address = folder, password, address
        # By name the master, and the replica that takes over.
        self.redis = {name: (RedisProcess(), RedisProcess()) for name in names}
        self.watchers = [RedisProcess() for _ in range(3)]

    def start(self) -> None:
        # A replica writes what its master has into a file.
        options = ["--bind", self.address, "--dir", str(self.folder)]
        options += ["--requirepass", self.password, "--masterauth", self.password]
        for master, replica in self.redis.values():
            master.start(*options)
            replica.start(*options, "--replicaof", f"{self.address} {master.port}")
        for watcher in self.watchers:
            file = self.folder / f"{watcher.port}.conf"
            place = f"port {watcher.port}\nbind {self.address}\ndir {self.folder}\n"
            file.write_text(place + "".join(map(self._watch, self.redis)))
            watcher.run([watcher.program, str(file), "--sentinel"], "+monitor master")

    def _watch(self, name: str) -> str:
        """Return what a Sentinel's file says of a master."""
        return (
            f"sentinel monitor {name} {self.address} {self.redis[name][0].port} 2\n"
            f"sentinel auth-pass {name} {self.password}\n"
            f"sentinel down-after-milliseconds {name} 500\n"
            f"sentinel failover-timeout {name} 5000\n"
        )

    @property
    def addresses(self) -> str:
        return ",".join(f"{self.address}:{watcher.port}" for watcher in self.watchers)

    def master(self, name: str = NAME) -> int:
        """Return the port of a master, as the Sentinels know it."""
        with redis.Redis(host=self.address, port=self.watchers[0].port) as connection:
            return int(connection.sentinel_get_master_addr_by_name(name)[1])

    def is_watched(self) -> bool:
        """Whether each Sentinel knows the others and the replicas, so that a failover can begin."""
        found = []
        for watcher in self.watchers:
            with redis.Redis(
                host=self.address, port=watcher.port, decode_responses=True
            ) as connection:
                found += [connection.sentinel_master(name) for name in self.redis]
        return all((each["num-slaves"], each["num-other-sentinels"]) == (1, 2) for each in found)

    def kill(self) -> None:
        for each in (*itertools.chain(*self.redis.values()), *self.watchers):
            each.kill()


class AppServer:
    """Daphne or uvicorn, that can be killed or stopped, and started again on its port."""

    def __init__(self, name: str, application: str, **environment: str):
        self.port = free_port()
        self.command = [*COMMANDS[name][:-1], str(self.port), application]
        self.environment = environment
        # A command that runs it somewhere else.
        self.prefix: list[str] = []
        self.life: ServerProcess | None = None
        self.log: list[str] = []

    def start(self) -> None:
        self.life = ServerProcess(self.command, prefix=self.prefix, **self.environment)
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
