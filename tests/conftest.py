import pytest
from asgiref.sync import sync_to_async
from django.contrib.contenttypes.management import create_contenttypes
from django.db.models.signals import post_migrate
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

from demo.people import settle
from realtime.tests.fixtures import *  # noqa: F403

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


@pytest.fixture
async def people(transactional_db):
    """The demo's two members and one stranger, in the database."""
    return await sync_to_async(settle)()
