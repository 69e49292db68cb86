"""What the database decides, on PostgreSQL too: the same tests, and a server of its own."""

import os
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from classroom import token
from tests.wire.fixtures import PREPARE
from tests.wire.postgresql import real_postgresql
from tests.wire.servers import COMMANDS, serving

ROOT = Path(__file__).parents[2]

# The modules whose logic is in a transaction, a lock, an index or a query.
SAME = ["authority", "feed", "layer", "models", "resume", "signals", "streams", "views"]


@pytest.fixture(scope="module")
def postgresql():
    with real_postgresql() as url:
        yield url


def test_unit_tests_pass_on_postgresql(postgresql):
    files = [str(ROOT / "tests" / f"test_{module}.py") for module in SAME]
    command = [sys.executable, "-m", "pytest", "-q", "--numprocesses=0", "-p", "no:cacheprovider"]
    # It goes with its server; to drop it now would need all threads' connections closed.
    command.append("--reuse-db")
    done = subprocess.run(
        [*command, *files],
        cwd=ROOT,
        env=os.environ | {"TEST_DATABASE_URL": postgresql},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert " skipped" not in done.stdout


@pytest.fixture
def server_on_postgresql(postgresql, environment):
    environment = environment | {"DATABASE_URL": postgresql}
    subprocess.run([sys.executable, "-c", PREPARE], env=os.environ | environment, check=True)
    with serving([*COMMANDS["daphne"], "config.asgi:application"], **environment) as server:
        yield server


async def test_server_on_postgresql_delivers_and_resumes(server_on_postgresql, connect):
    headers = {"Authorization": f"Bearer {token('alice')}"}
    server = server_on_postgresql
    async with httpx.AsyncClient(base_url=server.http, headers=headers) as http:
        alice = await connect(server, "/ws/notifications/", "alice")
        epoch = (await alice.receive())["epoch"]
        await http.post("/api/me/notifications/", json={"title": "Heard"})
        assert (await alice.receive())["offset"] == 1
        await alice.leave()
        await http.post("/api/me/notifications/", json={"title": "Missed"})
    back = await connect(server, f"/ws/notifications/?epoch={epoch}&offset=1", "alice")
    assert (await back.receive())["recovered"] is True
    assert (await back.receive())["notification"] == {"title": "Missed"}
