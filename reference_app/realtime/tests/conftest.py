"""Makes these tests independent of the project that they run in.

Issuer, users, channel layer, and all settings of this folder are their own.
"""

import inspect

import pytest
import pytest_asyncio
from asgiref.sync import sync_to_async
from django.core.management.commands import flush
from django.core.management.sql import emit_post_migrate_signal
from django.db import connection

from ..conf import conf
from ..testing.fixtures import *  # noqa: F403
from ..testing.tokens import THROW_AWAY_ISSUER
from .fixtures import *  # noqa: F403
from .project import settle

LANES = [
    "full: says of the core layer too what is said of the Pub/Sub layer",
    "postgresql: needs PostgreSQL, because SQLite has one writer",
]


def pytest_configure(config):
    for lane in LANES:
        config.addinivalue_line("markers", lane)


def pytest_pycollect_makeitem(name, obj):
    """Mark async tests, in a project whose pytest-asyncio is strict too."""
    if name.startswith("test_") and inspect.iscoroutinefunction(obj):
        pytest.mark.asyncio(obj)


def pytest_collection_modifyitems(items):
    if connection.vendor != "postgresql":
        for item in items:
            if item.get_closest_marker("postgresql"):
                item.add_marker(pytest.mark.skip("needs PostgreSQL: SQLite has one writer"))


@pytest.fixture(scope="package", autouse=True)
def flushes_only_delete_rows(django_db_setup, django_db_blocker):
    """Create content types and permissions once in the end.

    After each test it takes longer than most tests.
    """
    put_off = set()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(flush, "emit_post_migrate_signal", lambda *args: put_off.add(args))
        yield
    with django_db_blocker.unblock():
        for args in put_off:
            emit_post_migrate_signal(*args)


@pytest.fixture(autouse=True)
def settings_are_the_defaults(settings):
    """Forget what the project sets, but for the issuer, which is one that only tests trust."""
    for each in conf:
        if hasattr(settings, each.name):
            delattr(settings, each.name)
    settings.REALTIME_ISSUER = THROW_AWAY_ISSUER


@pytest_asyncio.fixture
async def people(transactional_db):
    """Return alice and bob, who are in the team, and mallory, who is not, by their names."""
    return await sync_to_async(settle)()
