"""The addresses of a deployment, as real services understand them."""

import asyncio
import os
import subprocess
import sys

import pytest

from classroom import token
from devrealm.accounts import PEOPLE
from tests.app.issuer import Issuer
from tests.project.readme import ROOT
from tests.wire.nginx import make_certificate
from tests.wire.parts import RedisProcess, Sentinels
from tests.wire.servers import COMMANDS, eventually, free_port, serving

pytestmark = pytest.mark.full

ALICE = PEOPLE["alice"].subject
PASSWORD = "p/a:s@s,"
ENCODED = "p%2Fa%3As%40s%2C"
TASK = "import django; django.setup(); from api.tasks import process_document as task; "


@pytest.fixture(params=["tcp", "unix", "tls"])
def guarded(request, tmp_path):
    """The URL of a Redis that asks for a password."""
    make_certificate(tmp_path, "localhost")
    files = {"cert": "certificate.pem", "key": "key.pem", "ca-cert": "certificate.pem"}
    tls = [word for name, file in files.items() for word in (f"--tls-{name}-file", tmp_path / file)]
    tls += ["--tls-auth-clients", "no", "--tls-port", str(secure := free_port())]
    redis = RedisProcess()
    redis.start("--requirepass", PASSWORD, "--unixsocket", f"{tmp_path}/redis", *tls)
    trust = f"ssl_ca_certs={tmp_path}/certificate.pem"
    yield {
        "tcp": f"redis://:{ENCODED}@127.0.0.1:{redis.port}/1",
        "unix": f"unix://:{ENCODED}@{tmp_path}/redis?db=1",
        "tls": f"rediss://:{ENCODED}@localhost:{secure}/1?{trust}",
    }[request.param]
    redis.kill()


async def test_redis_with_a_password_carries_the_layer_and_the_tasks(environment, connect, guarded):
    settings = environment | {"REDIS_URL": guarded}
    worker = ["-m", "celery", "-A", "config", "worker", "--pool", "solo", "--loglevel", "INFO"]
    server = serving([*COMMANDS["realtime.server"], "config.asgi:application"], **settings)
    with server as server, serving(worker, **settings) as worker:
        alice = await connect(server, "/ws/notifications/", "alice")
        assert (await alice.receive())["type"] == "connection.established"
        delay = f"{TASK} task.delay({ALICE!r}, {ALICE!r}, 'doc-1')"
        command, variables = [sys.executable, "-c", delay], os.environ | settings
        await asyncio.to_thread(subprocess.run, command, env=variables, check=True)
        notification = (await alice.receive())["notification"]
        assert notification["title"] == "Document Processed"
        assert not any(PASSWORD in line or ENCODED in line for line in server.log + worker.log)


@pytest.fixture
def watched(tmp_path):
    parts = Sentinels(tmp_path, "s3cret")
    parts.start()
    yield parts
    parts.kill()


@pytest.mark.parametrize("layer", ["pubsub", "core"])
async def test_master_that_dies_is_replaced_and_nothing_is_lost(
    environment, connect, watched, layer
):
    settings = environment | {
        "REDIS_URL": f"redis://:{watched.password}@{watched.NAME}/0",
        "REDIS_SENTINELS": watched.addresses,
        "CHANNEL_LAYER": layer,
    }
    await eventually(watched.is_watched)
    before = watched.master()
    command = [*COMMANDS["realtime.server"], "config.asgi:application"]
    headers = {"Authorization": f"Bearer {token('alice')}"}
    with serving(command, **settings) as server:
        alice = await connect(server, "/ws/notifications/", "alice")
        assert (await alice.receive())["type"] == "connection.established"

        async def notify(numbers):
            for number in numbers:
                title = {"title": str(number)}
                answer = await http.post("/api/me/notifications/", json=title, headers=headers)
                assert answer.status_code == 202

        async with server.requests() as http:
            await notify(range(3))
            watched.redis[watched.NAME][0].kill()
            await notify(range(3, 6))
            await eventually(lambda: watched.master() != before)
            await notify(range(6, 9))
            titles = [(await alice.receive())["notification"]["title"] for _ in range(9)]
    assert titles == [str(number) for number in range(9)]
    assert watched.password not in "".join(server.log)


async def test_tasks_are_carried_by_the_master_that_sentinels_know(environment, watched):
    settings = environment | {
        "REDIS_URL": f"redis://:{watched.password}@{watched.NAME}/0",
        "REDIS_SENTINELS": watched.addresses,
    }
    command = ["-m", "celery", "-A", "config", "worker", "--pool", "solo", "--loglevel", "INFO"]
    with serving(command, **settings) as worker:
        delay = f"{TASK} task.delay({ALICE!r}, {ALICE!r}, 'doc-1')"
        process, variables = [sys.executable, "-c", delay], os.environ | settings
        await asyncio.to_thread(subprocess.run, process, env=variables, check=True)
        await worker.logs("succeeded in")
        assert not any(watched.password in line for line in worker.log)


async def test_shards_with_a_prefix_carry_every_group(environment, connect):
    shards = [RedisProcess(), RedisProcess()]
    for shard in shards:
        shard.start()
    urls = ",".join(f"redis://127.0.0.1:{shard.port}" for shard in shards)
    settings = {"REDIS_URL": urls, "REDIS_PREFIX": "shop", "CELERY_BROKER_URL": "memory://"}
    command = [*COMMANDS["realtime.server"], "config.asgi:application"]
    with serving(command, **environment, **settings) as server:
        async with server.requests() as http:
            for name in PEOPLE:
                client = await connect(server, "/ws/notifications/", name)
                assert (await client.receive())["type"] == "connection.established"
                headers = {"Authorization": f"Bearer {token(name)}"}
                await http.post("/api/me/notifications/", json={"title": name}, headers=headers)
                assert (await client.receive())["notification"] == {"title": name}
    for shard in shards:
        shard.kill()


def connects(environment, url) -> bool:
    command = [sys.executable, str(ROOT / "reference_app" / "manage.py"), "migrate", "--check"]
    variables = os.environ | environment | {"DATABASE_URL": url}
    done = subprocess.run(command, env=variables, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 or "SSL" in done.stderr, done.stderr
    return done.returncode == 0


@pytest.mark.parametrize("mode", ["disable", "prefer", "require", "verify-full"])
def test_django_and_psql_agree_on_a_server_without_tls(on_postgresql, mode):
    url = f"{on_postgresql['DATABASE_URL']}?sslmode={mode}"
    psql = subprocess.run(["psql", url, "-c", "SELECT 1"], check=False)
    assert (psql.returncode == 0) == (mode in ("disable", "prefer"))
    assert connects(on_postgresql, url) == (psql.returncode == 0)


async def test_keys_are_fetched_by_another_name_than_the_issuers(environment, connect):
    """As in a container, which does not reach the issuer by the name that browsers know."""
    inside, outside = Issuer(), "https://id.example.invalid/realms/demo"
    inside.make_key("first")
    changed = {
        "KEYCLOAK_ISSUER": outside,
        "KEYCLOAK_KEYS_URL": f"{inside.url}/protocol/openid-connect/certs",
        "KEYCLOAK_AUDIENCE": "reference-app",
    }
    command = [*COMMANDS["realtime.server"], "config.asgi:application"]
    with serving(command, **environment, **changed) as server:
        alice = await connect(
            server, "/ws/notifications/", token=inside.token("first", iss=outside)
        )
        assert (await alice.receive())["type"] == "connection.established"
    inside.close()
