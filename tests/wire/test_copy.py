"""The app in a project of its own, as the README says to put it there."""

import asyncio
import os
import re
import shutil
import subprocess
import sys

import pytest

from devrealm.people import PEOPLE
from tests.readme import README, ROOT
from tests.wire.servers import COMMANDS, serving

REFERENCE = ROOT / "reference_app"

URLS = """
from django.urls import include, path

urlpatterns = [path("api/", include("api.urls"))]
"""

# The realm whose tokens the tests hold.
REALM = """
KEYCLOAK_ISSUER = "http://localhost:8000/realms/demo"
KEYCLOAK_AUDIENCE = "reference-app"
KEYCLOAK_JWKS_URL = """


def test_app_imports_nothing_from_the_rest():
    foreign = re.compile(r"^\s*(from|import) (config|devrealm|tests|classroom)\b", re.MULTILINE)
    for path in (REFERENCE / "api").rglob("*.py"):
        assert not foreign.search(path.read_text()), path


def fresh_project(folder, redis_port, certs) -> dict[str, str]:
    """Do what the README says, in `folder`, and return the environment of the project."""
    run = [sys.executable, "-m", "django", "startproject", "mysite", str(folder)]
    subprocess.run(run, check=True)
    shutil.copytree(REFERENCE / "api", folder / "api")
    asgi = (REFERENCE / "config" / "asgi.py").read_text()
    asgi = asgi.replace("config.settings.local", "mysite.settings")
    (folder / "mysite" / "asgi.py").write_text(asgi)
    (folder / "mysite" / "urls.py").write_text(URLS)
    (addition,) = re.findall(r"```python\n(.+?)```", README.read_text(), re.DOTALL)
    with (folder / "mysite" / "settings.py").open("a") as settings:
        settings.write(addition.replace("6379", str(redis_port)) + REALM + f"'{certs}'\n")
    environment = {"DJANGO_SETTINGS_MODULE": "mysite.settings", "PYTHONPATH": str(folder)}
    migrate = [sys.executable, str(folder / "manage.py"), "migrate", "-v0"]
    subprocess.run(migrate, env=os.environ | environment, check=True)
    return environment


@pytest.mark.full
async def test_copied_app_serves_alice_in_a_fresh_project(tmp_path, start, redis_port, connect):
    """Keys come over HTTP, as from a Keycloak: from the stand-in that another server runs."""
    realm = f"{start('config.server', 'pubsub').http}/realms/demo"
    certs = f"{realm}/protocol/openid-connect/certs"
    environment = await asyncio.to_thread(fresh_project, tmp_path, redis_port, certs)
    with serving([*COMMANDS["daphne"], "mysite.asgi:application"], **environment) as server:
        alice = await connect(server, "/ws/notifications/", "alice")
        assert (await alice.receive())["user_id"] == PEOPLE["alice"].subject
        stranger = await connect(server, "/ws/notifications/")
        assert (await stranger.receive())["code"] == 4001
