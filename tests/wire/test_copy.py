"""The copied folder in a new project, as its README says to put it there."""

import asyncio
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from devrealm.accounts import PEOPLE
from realtime.protocol.close_codes import CloseCode
from tests.project.readme import REALTIME, REFERENCE
from tests.wire.servers import serving

# The modules of the recipe, each in a block that begins with its path.
MODULES = dict(
    re.findall(r"```python\n# (mysite/\w+\.py)\n(.+?)```", REALTIME.read_text(), re.DOTALL)
)

ALICE, BOB = (PEOPLE[name].subject for name in ("alice", "bob"))

# The realm whose tokens the tests hold.
REALM = """
REALTIME_ISSUER = {{
    "ISSUER": "http://localhost:8000/realms/demo",
    "AUDIENCE": "reference-app",
    "KEYS_URL": "{certs}",
}}
"""

# Who is in the team, what is sent to it, and who leaves it.
PREPARE = """
import django; django.setup()
import mysite.signals
from django.contrib.auth.models import Group
from {app}.authority.users import active_user
team = Group.objects.create(id=7)
team.user_set.add(*(active_user({{"sub": subject}}) for subject in {subjects}))
"""
ACT = """
import django; django.setup()
import mysite.signals
from asgiref.sync import async_to_sync
from django.contrib.auth.models import Group
from {app}.authority.users import active_user
from {app}.senders import broadcast
from mysite.topics import team_topic
frame = {{"type": "event", "event_type": "message.posted", "data": {{"text": "Hello"}}}}
async_to_sync(broadcast)(team_topic, 7, frame)
Group.objects.get(id=7).user_set.remove(active_user({{"sub": "{subject}"}}))
"""


class Project:
    """A new Django project with the copied folder in it."""

    def __init__(self, folder: Path, app: str):
        self.folder, self.app = folder, app
        environment = {"DJANGO_SETTINGS_MODULE": "mysite.settings", "PYTHONPATH": str(folder)}
        self.environment = os.environ | environment

    def build(self, redis_port: int, certs: str) -> None:
        """Do what the README says."""
        self.run("-m", "django", "startproject", "mysite", str(self.folder))
        ignored = shutil.ignore_patterns("__pycache__")
        copy = shutil.copytree(REALTIME.parent, self.folder / self.app, ignore=ignored)
        apps = copy / "apps.py"
        apps.write_text(apps.read_text().replace('label = "realtime"', f'label = "{self.app}"'))
        for path, text in MODULES.items():
            with (self.folder / path).open("a" if path == "mysite/settings.py" else "w") as module:
                module.write(self.renamed(text).replace("6379", str(redis_port)))
        with (self.folder / "mysite" / "settings.py").open("a") as settings:
            settings.write(REALM.format(certs=certs))
        self.run("manage.py", "check")
        self.run("manage.py", "makemigrations", "--check")
        self.run("manage.py", "migrate", "-v0")
        self.run("-c", PREPARE.format(app=self.app, subjects=[ALICE, BOB]))

    def renamed(self, text: str) -> str:
        text = text.replace("from realtime.", f"from {self.app}.")
        return text.replace('"realtime"', f'"{self.app}"').replace(
            "realtime.urls", f"{self.app}.urls"
        )

    def run(self, *command: str) -> None:
        environment = os.environ if "startproject" in command else self.environment
        subprocess.run(
            [sys.executable, *command], cwd=self.folder, env=environment, check=True, timeout=60
        )


def test_folder_names_nothing_outside_itself():
    named = re.compile(
        r"^\s*(from|import) (realtime|api|config|demo|devrealm|tests|classroom)\b", re.MULTILINE
    )
    for path in REALTIME.parent.rglob("*.py"):
        assert not named.search(path.read_text()), path


def test_guides_app_names_nothing_of_the_demo():
    named = re.compile(r"^\s*(from|import) (config|demo|devrealm|tests|classroom)\b", re.MULTILINE)
    for path in (REFERENCE.parent / "api").rglob("*.py"):
        assert not named.search(path.read_text()), path


def test_no_module_shadows_one_of_python_when_a_file_beside_it_is_run():
    names = {path.stem for path in REALTIME.parent.rglob("*.py")}
    assert names & sys.stdlib_module_names == set()


def test_recipe_has_every_module():
    names = {"settings", "topics", "consumers", "asgi", "urls", "signals"}
    assert set(MODULES) == {f"mysite/{name}.py" for name in names}


@pytest.mark.full
@pytest.mark.parametrize("app", ["realtime", "live"])
async def test_copied_folder_serves_a_team_in_a_new_project(
    tmp_path, start, redis_port, connect, app
):
    """Keys come over HTTP, as from a Keycloak: from the stand-in that another server runs."""
    realm = f"{start('realtime.server', 'pubsub').http}/realms/demo"
    project = Project(tmp_path, app)
    certs = f"{realm}/protocol/openid-connect/certs"
    await asyncio.to_thread(project.build, redis_port, certs)
    command = ["-m", f"{app}.server", "-b", "127.0.0.1", "-p", "0", "mysite.asgi:application"]
    with serving(command, **project.environment) as server:
        alice = await connect(server, "/ws/teams/7/", "alice")
        bob = await connect(server, "/ws/teams/7/", "bob")
        assert (await alice.receive())["user_id"] == ALICE
        assert (await bob.receive())["user_id"] == BOB
        mallory = await connect(server, "/ws/teams/7/", "mallory")
        assert (await mallory.receive())["code"] == CloseCode.FORBIDDEN
        stranger = await connect(server, "/ws/teams/7/")
        assert (await stranger.receive())["code"] == CloseCode.UNAUTHORIZED
        await asyncio.to_thread(project.run, "-c", ACT.format(app=app, subject=ALICE))
        for member in (alice, bob):
            assert (await member.receive())["data"] == {"text": "Hello"}
        assert (await alice.receive())["code"] == CloseCode.FORBIDDEN
        server.process.terminate()
        assert await bob.closed() == CloseCode.RESTART
