"""The run behind the real nginx that a notebook draws still goes as it is drawn."""

import re
import subprocess
from datetime import date
from importlib.metadata import version

import psycopg
import pytest

from tests.record import Record
from tests.wire.fixtures import TOKEN
from tests.wire.nginx import nginx
from tests.wire.parts import AppServer
from tests.wire.production_run import ProductionRun
from tests.wire.test_metrics import SECRET

pytestmark = pytest.mark.full

# The issuer whose tokens the tests hold, and what Prometheus knows.
KNOWN = {
    "DJANGO_SETTINGS_MODULE": "tests.wire.variants.production",
    "KEYCLOAK_ISSUER": "http://localhost:8000/realms/demo",
    "KEYCLOAK_AUDIENCE": "reference-app",
    "REALTIME_METRICS_TOKEN": SECRET,
    "REALTIME_DRAIN_SECONDS": "1",
}


@pytest.fixture
def servers(production, on_postgresql):
    deployment = production | on_postgresql | KNOWN
    servers = [
        AppServer("realtime.server", "config.asgi:application", **deployment) for _ in range(2)
    ]
    try:
        for server in servers:
            server.start()
        yield servers
    finally:
        for server in servers:
            server.kill()


async def test_run_behind_nginx_goes_as_the_notebook_says(
    servers, on_postgresql, tmp_path, pytestconfig
):
    with nginx(tmp_path, [f"127.0.0.1:{server.port}" for server in servers]) as front:
        run = ProductionRun(front, servers)
        await run.tell()
        log = await run.log()
        assert not TOKEN.search(front.log("access.log"))
    record = Record("behind_nginx.json", pytestconfig)
    record.adds("recorded", said=versions(on_postgresql["DATABASE_URL"]))
    record.holds("notes", seen=[[*note] for note in run.notes])
    record.holds("log", seen=log)


def versions(database: str) -> dict[str, str]:
    """Return the day, and the version of each part."""
    found = {"date": f"{date.today()}"}
    for program, option in (("nginx", "-v"), ("redis-server", "--version")):
        said = subprocess.run([program, option], capture_output=True, text=True)
        found[program] = re.search(r"[\d.]+\d", said.stdout + said.stderr)[0]
    with psycopg.connect(database) as connection:
        found["PostgreSQL"] = connection.info.parameter_status("server_version").split()[0]
    return found | {name: version(name) for name in ("Django", "channels", "daphne")}
