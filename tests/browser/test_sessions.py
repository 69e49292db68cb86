"""What goes over the wire of the guide's hook and of the demo page: what notebook 11 draws."""

import os
import subprocess
import sys

import pytest

from tests.browser.record import Record
from tests.browser.sessions import two_sessions
from tests.wire.fixtures import PREPARE, layer_on, use_database


@pytest.fixture
def database(environment, tmp_path):
    """The URL of a new database, whose streams begin at 0."""
    url = f"sqlite:///{tmp_path}/own.sqlite3"
    own = os.environ | environment | {"DATABASE_URL": url}
    subprocess.run([sys.executable, "-c", PREPARE], env=own, check=True)
    return url


async def test_guides_hook_and_the_page_live_through_a_restart_as_the_notebook_says(
    browser, start_app, redis_port, shared_database, database, pytestconfig
):
    app = start_app(DATABASE_URL=database)
    with use_database(database):
        async with layer_on(redis_port):
            seen = await two_sessions(browser, app)
    Record("page_in_chromium.json", pytestconfig).holds("sessions", seen=seen)
