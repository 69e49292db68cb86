"""A server on PostgreSQL; `python -m tests.wire.postgresql` runs unit tests on it too."""

import os
import subprocess
import sys

import pytest

from classroom import token
from tests.wire.fixtures import PREPARE
from tests.wire.postgresql import real_postgresql
from tests.wire.servers import COMMANDS, serving

pytestmark = pytest.mark.full


@pytest.fixture(scope="module")
def postgresql():
    with real_postgresql() as url:
        yield url


@pytest.fixture
def server_on_postgresql(postgresql, environment):
    environment = environment | {"DATABASE_URL": postgresql}
    subprocess.run([sys.executable, "-c", PREPARE], env=os.environ | environment, check=True)
    with serving([*COMMANDS["daphne"], "config.asgi:application"], **environment) as server:
        yield server


async def test_server_on_postgresql_delivers_and_resumes(server_on_postgresql, connect):
    headers = {"Authorization": f"Bearer {token('alice')}"}
    server = server_on_postgresql
    async with server.requests(headers=headers) as http:
        alice = await connect(server, "/ws/notifications/", "alice")
        assert (await alice.receive())["offset"] == 0
        await http.post("/api/me/notifications/", json={"title": "Heard"})
        position = (await alice.receive())["position"]
        await alice.leave()
        await http.post("/api/me/notifications/", json={"title": "Missed"})
    back = await connect(server, f"/ws/notifications/?position={position}", "alice")
    assert (await back.receive())["recovered"] is True
    assert (await back.receive())["notification"] == {"title": "Missed"}
