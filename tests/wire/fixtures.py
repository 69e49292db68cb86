import contextlib
import os
import re
import subprocess
import sys

import pytest
from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import connections
from django.utils.module_loading import import_string
from redis.asyncio import Redis

from classroom import Client, token
from config.settings.base import redis_layer
from realtime.testing.layers import default_layer
from tests.lanes import QUICK, in_full, in_long_unless, lanes_chosen
from tests.project.readme import ROOT
from tests.wire.parts import RedisProcess
from tests.wire.postgresql import real_postgresql
from tests.wire.servers import COMMANDS, EACH_SERVER, fake_redis, real_redis, serving

TOKEN = re.compile(r"eyJ[\w-]{20,}")
# Longer than a test run, so that a right that ends is learnt from its message and nothing else.
RECHECK_SECONDS = 3_600

PREPARE = """
import django; django.setup()
from demo.management.commands.demo import prepare_database
prepare_database()
"""


@pytest.fixture(scope="session")
def environment():
    """Return the environment of a server: the demo's people in a database."""
    environment = {
        "DJANGO_SETTINGS_MODULE": "config.settings.local",
        "DATA_DIR": str(settings.DATA_DIR),
        "DATABASE_URL": f"sqlite:///{settings.DATA_DIR}/wire.sqlite3",
    }
    subprocess.run([sys.executable, "-c", PREPARE], env=os.environ | environment, check=True)
    return environment


@pytest.fixture(scope="module")
def on_postgresql(environment):
    """The environment of a server on a PostgreSQL of its own, with the demo's people in it."""
    with real_postgresql() as url:
        changed = environment | {"DATABASE_URL": url}
        subprocess.run([sys.executable, "-c", PREPARE], env=os.environ | changed, check=True)
        yield changed


# The databases, and the fixture of each.
DATABASES = {"sqlite": "environment", "postgresql": "on_postgresql"}


@pytest.fixture(scope="module", params=DATABASES.values(), ids=DATABASES)
def database(request):
    """The environment of a server on each database."""
    return request.getfixturevalue(request.param)


def on_database(main: str) -> pytest.MarkDecorator:
    """Have the full lane run a test on one database, and the long lane on the other one."""
    params = [
        pytest.param(fixture, id=name, marks=in_long_unless(name == main))
        for name, fixture in DATABASES.items()
    ]
    return pytest.mark.parametrize("database", params, indirect=True)


def on_databases(faults: list[tuple]) -> pytest.MarkDecorator:
    """Give a test stacks with their schedules, each in the full lane on the database it names."""
    params = [
        pytest.param(
            *(fixture, stack, schedule),
            id=f"{name}-{schedule.name}",
            marks=in_long_unless(name == main),
        )
        for name, fixture in DATABASES.items()
        for main, stack, schedule in faults
    ]
    return pytest.mark.parametrize(("database", "stack", "schedule"), params, indirect=["database"])


@pytest.fixture
async def shared_database(environment, django_db_setup, django_db_blocker):
    """Let this process write where the servers read: what is sent is a row first."""
    with django_db_blocker.unblock(), use_database(environment["DATABASE_URL"]):
        await sync_to_async(connections.close_all)()
        yield
        await sync_to_async(connections.close_all)()


@contextlib.contextmanager
def use_database(url: str):
    """Have new connections of this process go to a database of the same kind."""
    usual = connections.settings["default"]["NAME"]
    connections.settings["default"]["NAME"] = url.removeprefix("sqlite:///")
    try:
        yield
    finally:
        connections.settings["default"]["NAME"] = usual


@pytest.fixture(scope="session")
def redis_port(pytestconfig):
    """Yield the port of this worker's Redis: a fakeredis in the quick lane, else a real one.

    Each worker has its own, because all databases of one Redis share the Pub/Sub channels.
    """
    with fake_redis() if lanes_chosen(pytestconfig) == [QUICK] else real_redis() as port:
        yield port


def demo_served(folder) -> contextlib.AbstractContextManager:
    """Return the demo as a reader starts it, with its data in a folder, to be entered."""
    manage = str(ROOT / "reference_app" / "manage.py")
    settings = {"DJANGO_SETTINGS_MODULE": "config.settings.local", "DATA_DIR": str(folder)}
    return serving([manage, "demo", "--port", "0"], **settings)


@pytest.fixture
def own_redis():
    """A Redis of the test's own, that can be killed."""
    redis = RedisProcess()
    redis.start()
    yield redis
    redis.kill()


@pytest.fixture(scope="session")
def start(environment, redis_port):
    """Return a function that returns the session's server of that name on that layer."""
    with contextlib.ExitStack() as stack:
        running = {}

        def start_once(name, layer):
            if (name, layer) not in running:
                running[name, layer] = stack.enter_context(
                    serving(
                        [*COMMANDS[name], "config.asgi:application"],
                        **environment,
                        REDIS_HOST="127.0.0.1",
                        REDIS_PORT=str(redis_port),
                        CHANNEL_LAYER=layer,
                        REALTIME_RECHECK_SECONDS=str(RECHECK_SECONDS),
                    )
                )
            return running[name, layer]

        yield start_once


@pytest.fixture(scope="session")
def production(environment, redis_port):
    """The environment of a server in production, behind a proxy that ends TLS."""
    return environment | {
        "DJANGO_SETTINGS_MODULE": "config.settings.production",
        "DJANGO_SECRET_KEY": "k" * 30 + "0123456789" * 3,
        "DJANGO_ALLOWED_HOSTS": "app.example.com",
        "REDIS_HOST": "127.0.0.1",
        "REDIS_PORT": str(redis_port),
        "KEYCLOAK_ISSUER": "http://127.0.0.1:9/realms/main",
        "KEYCLOAK_AUDIENCE": "my-app",
    }


@pytest.fixture(params=EACH_SERVER)
def server(request, start):
    """Each server on the default layer."""
    yield from watched(start(request.param, "pubsub"))


SERVED = ["daphne-pubsub", "daphne-core", "uvicorn-pubsub", "uvicorn-core"]


@pytest.fixture(params=["realtime.server-pubsub", *in_full(SERVED)])
async def served(request, start, redis_port, shared_database):
    """Each server on each layer; `broadcast_…` in the test reaches it, as from another process."""
    name, kind = request.param.split("-")
    async with layer_on(redis_port, kind):
        for server in watched(start(name, kind)):
            yield server


def watched(server):
    """Yield the server, and see that what it logged meanwhile holds no token and no traceback."""
    before = len(server.log)
    yield server
    log = "".join(server.log[before:])
    assert not TOKEN.search(log)
    assert "Traceback" not in log


@contextlib.asynccontextmanager
async def layer_on(port: int, kind: str = "pubsub", **connection):
    """Make a layer on the Redis at `port` this process's default."""
    connection = {"host": "127.0.0.1", "port": port, "socket_timeout": 15} | connection
    configuration = redis_layer(kind, connection)["default"]
    layer = import_string(configuration["BACKEND"])(**configuration["CONFIG"])
    async with default_layer(layer):
        yield layer


@pytest.fixture
async def connect():
    """Return a function that opens a socket; every socket is closed in the end."""
    opened = []

    async def open_socket(server, path, username=None, **options):
        if username:
            options["token"] = token(username)
        client = await Client.connect(server.ws + path, **options)
        opened.append(client)
        return client

    yield open_socket
    for client in opened:
        await client.leave()


@pytest.fixture
async def redis(redis_port):
    async with Redis(host="127.0.0.1", port=redis_port) as connection:
        yield connection
