"""A PostgreSQL of the tests' own: in a temporary folder, on a port of its own, gone in the end.

    python -m tests.wire.postgresql

This runs on it the unit tests of which the database decides the outcome. pytest's options may
follow.
"""

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from glob import glob
from pathlib import Path

import pytest

from tests.project.readme import ROOT
from tests.wire.servers import free_port

# Debian keeps the programs of each version apart, and none of them on the PATH.
DEBIAN = "/usr/lib/postgresql/*/bin"

# The folders of the unit tests.
UNITS = [ROOT / "tests" / "app", ROOT / "reference_app" / "realtime" / "tests"]

# The modules whose logic is in a transaction, a lock, an index or a query.
DECIDED = [
    "access",
    "checks",
    "registry",
    "topics",
    "feed",
    "group_commit",
    "layer",
    "models",
    "outbox",
    "resume",
    "signals",
]
DECIDED += ["streams", "a_million_entries", "token_users", "two_databases", "users", "views"]


class PostgreSQL:
    """A PostgreSQL that need not survive a power cut, and can be stopped and frozen."""

    def __init__(self, folder: str, connections: int, address: str):
        programs = folder_of_programs()
        if programs is None:
            pytest.skip("needs PostgreSQL's server: install it, Debian calls it postgresql")
        if user := owner():
            os.chown(folder, user.pw_uid, user.pw_gid)
        self.data, port = f"{folder}/data", free_port()
        self.url = f"postgres://tests@{address}:{port}/postgres"
        # Django wants UTF-8, which initdb would leave to the locale of whoever runs the tests.
        text = ["--encoding=UTF8", "--no-locale"]
        run([programs / "initdb", "-D", self.data, "-U", "tests", *"-A trust -N".split(), *text])
        with Path(self.data, "pg_hba.conf").open("a") as rules:
            rules.write("host all all samenet trust\n")  # initdb lets in this machine only
        where = f"-p {port} -c listen_addresses={address} -c unix_socket_directories={folder}"
        options = f"{where} -c fsync=off -c max_connections={connections}"
        self.control = [programs / "pg_ctl", "-D", self.data, "-w", "-l", f"{folder}/log"]
        self.control += ["-o", options]

    def start(self) -> None:
        run([*self.control, "start"])

    def stop(self, mode: str = "fast") -> None:
        run([*self.control, "-m", mode, "stop"])

    def crash(self) -> None:
        """Stop it as a crash does; it keeps what was committed."""
        self.stop("immediate")

    def freeze(self) -> None:
        """Stop all its processes in their tracks: connections stay, nothing is answered."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

    def _signal(self, number: int) -> None:
        if not (file := Path(self.data, "postmaster.pid")).exists():
            return  # it is stopped
        main = int(file.read_text().split()[0])
        os.kill(main, number)  # first, so that it makes no further process
        for process in Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(OSError):
                if int(process.read_text().rpartition(")")[2].split()[1]) == main:
                    os.kill(int(process.parent.name), number)


@contextlib.contextmanager
def own_postgresql(connections: int = 300, address: str = "127.0.0.1") -> Iterator[PostgreSQL]:
    """Run a PostgreSQL that a test may stop."""
    with tempfile.TemporaryDirectory(prefix="postgresql-") as folder:
        postgresql = PostgreSQL(folder, connections, address)
        postgresql.start()
        try:
            yield postgresql
        finally:
            postgresql.thaw()
            postgresql.stop("immediate")


@contextlib.contextmanager
def real_postgresql() -> Iterator[str]:
    """Run a PostgreSQL, and yield its DATABASE_URL."""
    with own_postgresql() as postgresql:
        yield postgresql.url


def folder_of_programs() -> Path | None:
    newest_first = sorted(glob(DEBIAN), reverse=True)
    found = shutil.which("initdb", path=os.pathsep.join([os.environ["PATH"], *newest_first]))
    return Path(found).parent if found else None


def owner() -> pwd.struct_passwd | None:
    """Return whose the server is to be: PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return None
    users = {user.pw_name: user for user in pwd.getpwall()}
    return users.get("postgres") or users["nobody"]


def run(command: list) -> None:
    user = owner()
    who = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []} if user else {}
    done = subprocess.run(
        [*map(str, command)],
        **who,
        cwd="/",
        stdin=subprocess.DEVNULL,
        # Not a pipe: the server would keep it open.
        stdout=(log := tempfile.TemporaryFile()),
        stderr=subprocess.STDOUT,
    )
    log.seek(0)
    assert done.returncode == 0, log.read().decode()
    log.close()


def file_of(module: str) -> Path:
    """Return the tests of a module, which are in one of the folders."""
    (found,) = [file for folder in UNITS if (file := folder / f"test_{module}.py").exists()]
    return found


def main() -> None:
    files = [str(file_of(module)) for module in DECIDED]
    # The database goes with its server. To drop it would need all threads' connections closed.
    options = ["--all", "--reuse-db", "--numprocesses=0", "-p", "no:cacheprovider", *sys.argv[1:]]
    with real_postgresql() as url:
        # Tests fill and flush tables, which may take as long as a command.
        limits = {"DATABASE_STATEMENT_SECONDS": "0"}
        environment = os.environ | limits | {"TEST_DATABASE_URL": url}
        command = [sys.executable, "-m", "pytest", *options, *files]
        status = subprocess.call(command, cwd=ROOT, env=environment)
    sys.exit(status)


if __name__ == "__main__":
    main()
