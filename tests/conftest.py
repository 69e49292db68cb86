import pytest
from asgiref.sync import sync_to_async
from django.contrib.contenttypes.management import create_contenttypes
from django.db import close_old_connections
from django.db.models.signals import post_migrate
from django.utils.module_loading import import_string
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

from config.settings.base import redis_layer
from demo.people import settle
from realtime.authority import request_rate
from realtime.delivery import resumed_bytes
from realtime.layer.embedded import EmbeddedRedisChannelLayer
from realtime.protocol.limits import Allowances
from tests.default_layer import default_layer

pytest.register_assert_rewrite("tests.record")

pytest_plugins = ["tests.lanes", "tests.wire.fixtures"]

# How slow the machine is at the moment says nothing about the code.
any_machine = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}
hypothesis_settings.register_profile("any machine", **any_machine)
hypothesis_settings.load_profile("any machine")


def pytest_addoption(parser):
    help = "write what is seen to the files that tests compare it with"
    parser.addoption("--record", action="store_true", help=help)


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup):
    """Let a flush only delete rows.

    Django would create all permissions and content types after each one, which takes longer than
    most tests, and no test needs them.
    """
    post_migrate.disconnect(dispatch_uid="django.contrib.auth.management.create_permissions")
    post_migrate.disconnect(create_contenttypes)


@pytest.fixture(autouse=True)
def connections_are_closed_as_in_production(monkeypatch):
    """Channels' communicator keeps them open, for tests inside a transaction; here all commit."""
    monkeypatch.setattr("channels.testing.application.no_op", close_old_connections)


@pytest.fixture(autouse=True)
def users_have_sent_and_been_sent_nothing_yet(monkeypatch):
    """The process counts over minutes what a user asks for, and tests share their users."""
    for counted in (request_rate, resumed_bytes):
        monkeypatch.setattr(counted, "allowances", Allowances(counted.make))


@pytest.fixture
async def people(transactional_db):
    """The demo's two members and one stranger, in the database."""
    return await sync_to_async(settle)()


@pytest.fixture(params=["pubsub", pytest.param("core", marks=pytest.mark.full)])
async def layer(request):
    """Each real layer in turn, over a Redis in process, as this process's default."""
    import fakeredis

    connection = {
        "connection_class": fakeredis.FakeAsyncRedisConnection,
        "server": fakeredis.FakeServer(),
    }
    configuration = redis_layer(request.param, connection)["default"]
    if request.param == "core":
        layer = EmbeddedRedisChannelLayer(**configuration["CONFIG"])
    else:
        layer = import_string(configuration["BACKEND"])(**configuration["CONFIG"])
    async with default_layer(layer):
        yield layer
