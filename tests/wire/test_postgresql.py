"""A server on PostgreSQL; `python -m tests.wire.postgresql` runs unit tests on it too."""

import asyncio
import os
import subprocess
import sys

import psycopg
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


# Connections of one process.
POOL_SIZE = 3


@pytest.fixture
def server_on_postgresql(postgresql, environment):
    pool = {"DATABASE_POOL_SIZE": str(POOL_SIZE)}
    environment = environment | {"DATABASE_URL": postgresql} | pool
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


def connections_of_others(url) -> int:
    """Return how many connections a PostgreSQL has, beside those that count them."""
    query = """
        SELECT count(*) FROM pg_stat_activity
        WHERE backend_type = 'client backend' AND application_name <> 'counting'
    """
    with psycopg.connect(url, application_name="counting") as connection:
        return connection.execute(query).fetchone()[0]


async def test_process_uses_as_many_connections_as_its_pool_has(server_on_postgresql, postgresql):
    """The formula in the app's README rests on it."""
    headers = {"Authorization": f"Bearer {token('alice')}"}
    most = 0
    async with server_on_postgresql.requests(headers=headers) as http:
        notify = [http.post("/api/me/notifications/", json={"title": "Hi"}) for _ in range(60)]
        work = asyncio.gather(*notify)
        while not work.done():
            most = max(most, await asyncio.to_thread(connections_of_others, postgresql))
        await work
    assert most == POOL_SIZE
