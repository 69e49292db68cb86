"""Real servers in processes of their own, and what they logged."""

import contextlib
import re
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import fakeredis
import pytest

from realtime.testing.patience import PATIENCE, eventually  # noqa: F401  (for all who import this)
from realtime.testing.serving import SERVER, ServerProcess, running, serving  # noqa: F401
from tests.lanes import in_full

# The flags with which the page of `realtime/` starts uvicorn.
PAGE = Path(__file__).parents[2] / "reference_app" / "realtime" / "README.md"
UVICORN = re.search(r"^uvicorn (--.+) mysite", PAGE.read_text(), re.MULTILINE)[1].split()

COMMANDS = {
    "daphne": ["-m", "daphne", "-b", "127.0.0.1", "-p", "0"],
    "realtime.server": SERVER,
    "uvicorn": ["-m", "uvicorn", *UVICORN, "--host", "127.0.0.1", "--port", "0"],
}
# For `parametrize`: the quick lane asks the project's own server, the full lane the others.
EACH_SERVER = ["realtime.server", *in_full(["daphne", "uvicorn"])]


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
