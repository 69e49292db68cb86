"""Each call to another service has a shorter deadline than its caller."""

import runpy

import pytest

from config.settings import base
from realtime import deadlines
from realtime.conf import conf

POSTGRESQL = "postgres://user@127.0.0.1:5432/name"


@pytest.fixture
def options(monkeypatch):
    """Return the options of the database that an environment names."""

    def read(**environment):
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        settings = runpy.run_path(base.__file__)
        return settings["DATABASES"]["default"]

    return read


def test_handshakes_and_requests_end_before_their_client_gives_up():
    assert conf.CONNECT_SECONDS < deadlines.ANSWER_TIMEOUT
    assert conf.REQUEST_SECONDS < deadlines.ANSWER_TIMEOUT


def test_calls_end_before_their_callers():
    shortest = min(conf.CONNECT_SECONDS, conf.REQUEST_SECONDS)
    assert deadlines.FETCH_TIMEOUT < deadlines.FETCH_PATIENCE < shortest
    assert deadlines.LAYER_TIMEOUT < shortest
    assert deadlines.LOCK_TIMEOUT < shortest


def test_calls_to_postgresql_end_before_their_callers(options):
    postgresql = options(DATABASE_URL=POSTGRESQL)
    used = postgresql["OPTIONS"]
    assert postgresql["CONN_HEALTH_CHECKS"]
    assert used["pool"]["timeout"] < conf.REQUEST_SECONDS
    assert used["connect_timeout"] < conf.REQUEST_SECONDS
    # A stream's lock is waited for by one statement, whose own error would say less.
    seconds = int(used["options"].removeprefix("-c statement_timeout=").removesuffix("s"))
    assert deadlines.LOCK_TIMEOUT < seconds < conf.REQUEST_SECONDS


def test_commands_such_as_migrate_may_take_longer(options):
    used = options(DATABASE_URL=POSTGRESQL, DATABASE_STATEMENT_SECONDS="0")["OPTIONS"]
    assert used["options"] == "-c statement_timeout=0s"


def test_pool_is_as_large_as_the_environment_says(options):
    assert options(DATABASE_URL=POSTGRESQL)["OPTIONS"]["pool"]["max_size"] == 10
    sized = options(DATABASE_URL=POSTGRESQL, DATABASE_POOL_SIZE="4")
    assert sized["OPTIONS"]["pool"]["max_size"] == 4


def test_wait_for_the_lock_of_sqlite_ends_before_its_caller(options):
    used = options(DATABASE_URL="sqlite:////tmp/db.sqlite3")["OPTIONS"]
    assert used["timeout"] < conf.REQUEST_SECONDS
