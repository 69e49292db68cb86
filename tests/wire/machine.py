"""A Debian that real systemd has booted: this machine's files under an overlay, in a container.

systemd-nspawn boots it in some three seconds, with a network of its own. Needs root.
"""

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.project.readme import ROOT
from tests.wire.parts import mount_in_memory
from tests.wire.servers import PATIENCE

# Where the README puts the project.
HOME = "srv/reference-app"

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

# A Python that was built for another place finds its library and its environment like this.
PYTHON = """#!/bin/bash
export LD_LIBRARY_PATH=/opt/python/lib
exec -a "$0" /opt/python/bin/python{}.{} "$@"
"""

# A target of its own, because the machine's enabled services are not to start.
TARGET = """
[Unit]
Requires=basic.target dbus.service
After=basic.target
AllowIsolate=yes
"""


class Machine:
    """The container; `leader` is the process id of its systemd."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.root = folder / "root"
        self.leader = ""
        self.process: subprocess.Popen | None = None

    def boot(self) -> None:
        self.mount()
        unit = self.root / "etc/systemd/system/trial.target"
        unit.write_text(TARGET)
        command = ["systemd-nspawn", "-D", str(self.root), "--register=no", "--keep-unit"]
        command += ["--private-network", "--console=pipe", "--boot", "systemd.unit=trial.target"]
        with (self.folder / "boot.log").open("w") as log:
            streams = {"stdin": subprocess.DEVNULL, "stdout": log, "stderr": log}
            self.process = subprocess.Popen(command, **streams)
        deadline = time.monotonic() + PATIENCE
        while not self.runs():
            assert self.process.poll() is None, (self.folder / "boot.log").read_text()
            assert time.monotonic() < deadline, "systemd did not boot"
            time.sleep(0.1)

    def mount(self) -> None:
        """Lay an overlay over this machine's files, and one over the checkout at its place."""
        # The upper layers are in memory: an overlay, as a container's own root is, cannot hold one.
        mount_in_memory(self.folder)
        self.overlay("/", self.root)
        self.overlay(str(ROOT), self.root / HOME)
        (self.root / HOME).chmod(0o755)
        self.lay_packages()

    def lay_packages(self) -> None:
        """Put this environment and its Python where the README makes one.

        Debian's own Python may be older, and then lack packages that it needs.
        """
        environment = self.folder / "environment"
        (environment / "bin").mkdir(parents=True)
        (environment / "lib").mkdir()
        (environment / "pyvenv.cfg").write_text("home = /opt/python/bin\n")
        python = environment / "bin/python"
        python.write_text(PYTHON.format(*sys.version_info))
        python.chmod(0o755)
        self.bind(Path(sys.base_prefix), self.root / "opt/python")
        self.bind(environment, self.root / HOME / ".venv")
        self.bind(Path(sys.prefix, "lib"), self.root / HOME / ".venv/lib")

    def bind(self, source: Path, place: Path) -> None:
        if place.is_symlink():  # which would lead out of the machine
            place.unlink()
        place.mkdir(exist_ok=True)
        subprocess.run(["mount", "-o", "bind,ro", source, place], check=True)

    def overlay(self, lower: str, merged: Path) -> None:
        layers = Path(tempfile.mkdtemp(dir=self.folder))
        (layers / "upper").mkdir()
        (layers / "work").mkdir()
        merged.mkdir(parents=True, exist_ok=True)
        options = f"lowerdir={lower},upperdir={layers}/upper,workdir={layers}/work"
        subprocess.run(["mount", "-t", "overlay", "overlay", "-o", options, merged], check=True)

    def runs(self) -> bool:
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        for child in filter(is_apart, children.read_text().split()):
            state = self.enter(child, "systemctl", "is-system-running")
            if state.stdout.strip() in ("running", "degraded"):
                self.leader = child
        return bool(self.leader)

    def enter(self, leader: str, *command: str, **options) -> subprocess.CompletedProcess:
        whole = ["nsenter", "-t", leader, "-a", "-r", "-w", *command]
        options |= {"env": {"PATH": PATH}, "text": True, "timeout": 2 * PATIENCE}
        return subprocess.run(whole, capture_output=True, **options)

    def run(self, script: str, **options) -> str:
        """Run lines of bash, which stop at the first that fails, and return what they print."""
        done = self.enter(self.leader, "bash", "-euo", "pipefail", "-c", script, **options)
        assert done.returncode == 0, f"{script}\n{done.stdout}{done.stderr}"
        return done.stdout

    def outside(self, *command: str) -> list[str]:
        """Return a command that has the machine's network, and the files of this process."""
        return ["nsenter", "-t", self.leader, "-n", *command]

    def stop(self) -> None:
        if self.leader:
            self.enter(self.leader, "systemctl", "poweroff", "--force", "--force")
        if self.process:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(10)
            self.process.kill()
            self.process.wait()
        subprocess.run(["umount", "--recursive", str(self.folder)], capture_output=True)


def is_apart(pid: str) -> bool:
    """Whether a process is in the container already, where nothing can happen to this machine."""
    return all(
        os.readlink(f"/proc/{pid}/ns/{kind}") != os.readlink(f"/proc/self/ns/{kind}")
        for kind in ("pid", "mnt", "net")
    )


@contextlib.contextmanager
def machine() -> Iterator[Machine]:
    if shutil.which("systemd-nspawn") is None:
        pytest.skip("needs systemd-nspawn: install it, Debian calls it systemd-container")
    if os.geteuid() != 0:
        pytest.skip("needs root, to boot a container")
    folder = Path(tempfile.mkdtemp(prefix="machine-", dir="/var/tmp"))
    booted = Machine(folder)
    try:
        booted.boot()
        yield booted
    finally:
        booted.stop()
        folder.rmdir()
