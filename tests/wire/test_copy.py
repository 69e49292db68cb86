"""The folder is taken home as its page says, into projects of several kinds."""

import asyncio
import contextlib
import re
import shlex
from urllib.parse import urlsplit

import pytest
from websockets.exceptions import InvalidStatus

from devrealm.accounts import PEOPLE
from realtime.protocol.close_codes import CloseCode
from tests.lanes import in_long
from tests.project.readme import REALTIME, REFERENCE
from tests.wire.postgresql import real_postgresql
from tests.wire.recipe import (
    OWN_TOPICS,
    RECIPE,
    SETTINGS,
    Project,
    block,
    command,
    make_environment,
    modules,
)
from tests.wire.servers import eventually

TEAM, ORGANIZATION = "/ws/teams/7/", "/ws/organizations/7/"
SENT = {"text": "Hello"}

# Versions of Python and Django on which the long lane says what the full lane says on one.
OTHER_VERSIONS = [("3.12", "5.2.*"), ("3.13", "5.2.*"), ("3.12", "6.*"), ("3.13", "6.*")]

EMAIL_LOGIN = """
AUTH_USER_MODEL = "people.User"
INSTALLED_APPS = [*INSTALLED_APPS, "people", "organizations"]
"""
PEOPLE_OF_THE_PROJECT = """
from organizations.models import Organization
from people.models import User
organization = Organization.objects.create(id=7, name="Seven")
users = [User.objects.create_user(f"{name}@example.com") for name in ("alice", "bob", "mallory")]
organization.members.set(users[:2])
"""
COUNT_USERS = """
from people.models import User
print(User.objects.count())
"""
ALL_IN_THE_TEAM = """
from django.contrib.auth.models import Group, User
Group.objects.create(id=7).user_set.set(User.objects.all())
"""
ALICE_LEAVES_THE_TEAM = f"""
from django.contrib.auth.models import Group
from realtime.models import Identity
alice = Identity.objects.get(subject="{PEOPLE["alice"].subject}").user
Group.objects.get(id=7).user_set.remove(alice)
"""
SEND_TO_THE_ORGANIZATION = """
from asgiref.sync import async_to_sync
from organizations.consumers import broadcast_org_event
async_to_sync(broadcast_org_event)(7, "message.posted", {"text": "Hello"})
"""
ALICE_LEAVES_THE_ORGANIZATION = """
from organizations.models import Membership
Membership.objects.get(user__email="alice@example.com").delete()
"""
# What the application with a session imports besides.
CHANNELS = """from channels.auth import AuthMiddlewareStack
from channels.routing import URLRouter
from channels.security.websocket import AllowedHostsOriginValidator
from django.urls import re_path
"""
CAROL_SIGNS_IN = """
from django.contrib.auth.models import User
from django.test import Client
client = Client()
client.force_login(User.objects.create_user("carol"))
print(client.cookies["sessionid"].value)
"""


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


def test_recipe_has_every_module():
    names = {"settings", "topics", "consumers", "asgi", "urls", "signals", "apps"}
    page = REALTIME.read_text()
    assert set(modules(page, RECIPE)) == {f"mysite/{name}.py" for name in names}
    names = {"topics", "consumers", "routing", "signals", "apps"}
    assert set(modules(page, OWN_TOPICS)) == {f"organizations/{name}.py" for name in names}


@pytest.fixture(scope="module")
def environments(tmp_path_factory):
    """Return a function that returns the environment of a Python, a Django and a database."""
    made = {}

    def environment(python, django, *, postgresql=False):
        key = (python, django, postgresql)
        if key not in made:
            folder = tmp_path_factory.mktemp("environment")
            made[key] = make_environment(folder, python, django, postgresql=postgresql)
        return made[key]

    return environment


@pytest.fixture(scope="module")
def postgresql():
    """The settings of a PostgreSQL, with the deadlines that the page shows."""
    with real_postgresql() as url:
        parts = urlsplit(url)
        database = {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": parts.path[1:],
            "USER": parts.username,
            "HOST": parts.hostname,
            "PORT": parts.port,
        }
        deadlines = block(REALTIME.read_text(), "What is promised", 'DATABASES["default"]')
        yield f"DATABASES = {{'default': {database}}}\n{deadlines}"


@pytest.fixture
def settings_here(start, redis_port):
    """What the settings of a project say of the parts of this run.

    Keys come over HTTP, as from a Keycloak: from the stand-in that another server runs.
    """
    realm = f"{start('realtime.server', 'pubsub').http}/realms/demo"
    return SETTINGS.format(keys_url=f"{realm}/protocol/openid-connect/certs", redis_port=redis_port)


@contextlib.asynccontextmanager
async def served(project: Project):
    """Serve the project, and wait until it has reached all its parts."""
    with project.serve() as server:
        async with server.requests() as client:

            async def all_answer():
                parts = (await client.get("/readyz")).json()
                return set(parts.values()) == {"ready", "ok"}

            await eventually(all_answer)
        yield server


def migrate(project: Project) -> None:
    project.run("python manage.py check --fail-level WARNING")
    project.run("python manage.py makemigrations --check")
    project.run(command(project.page, r"python manage\.py migrate"))


async def ask(project: Project, code: str) -> str:
    """Run code in the project, and return what it prints."""
    line = f"python manage.py shell --no-imports --verbosity 0 --command {shlex.quote(code)}"
    return await asyncio.to_thread(project.run, line)


async def refused(connect, server, path, username=None) -> int:
    """Return the code with which a client is refused."""
    client = await connect(server, path, username)
    frame = await client.receive()
    assert frame["type"] == "connection.closing", frame
    return frame["code"]


async def greeted(connect, server, path, username):
    """Return the client of a user who is let in."""
    client = await connect(server, path, username)
    frame = await client.receive()
    assert (frame["type"], frame["user_id"]) == (
        "connection.established",
        PEOPLE[username].subject,
    ), frame
    return client


async def two_members_are_served(connect, project, server, path, *, happens: str) -> str:
    """See that members get what is sent, strangers nothing, and a former member no more.

    Returns what the code printed that sends to the members, and has Alice leave.
    """
    alice, bob = [await greeted(connect, server, path, name) for name in ("alice", "bob")]
    assert await refused(connect, server, path, "mallory") == CloseCode.FORBIDDEN
    assert await refused(connect, server, path) == CloseCode.UNAUTHORIZED
    with pytest.raises(InvalidStatus, match="403"):
        await connect(server, "/ws/nothing/", "alice")
    printed = await ask(project, happens)
    assert [(await each.receive())["data"] for each in (alice, bob)] == [SENT, SENT]
    assert (await alice.receive())["code"] == CloseCode.FORBIDDEN
    server.process.terminate()
    assert await bob.closed() == CloseCode.RESTART
    return printed


@pytest.mark.full
@pytest.mark.parametrize(("python", "django"), [("3.11", "5.2.*"), *in_long(OTHER_VERSIONS)])
async def test_new_project_serves_a_team(
    tmp_path, environments, settings_here, connect, python, django
):
    project = Project(tmp_path, environments(python, django))
    project.take_home("realtime")
    project.write_modules(RECIPE)
    project.add("mysite/settings.py", settings_here)
    migrate(project)
    async with served(project) as server:
        # A first visit makes a user, who is in no team yet.
        for name in ("alice", "bob"):
            assert await refused(connect, server, TEAM, name) == CloseCode.FORBIDDEN
        await ask(project, ALL_IN_THE_TEAM)
        send = block(project.page, "Send", "from asgiref")
        happens = (
            f"from mysite.topics import team_topic\nteam_id = 7\n{send}{ALICE_LEAVES_THE_TEAM}"
        )
        await two_members_are_served(connect, project, server, TEAM, happens=happens)
    assert project.run(command(project.page, ".* prune_streams")) == "Deleted 0 entries.\n"
    assert re.search(r"\n\nFiles: \d+ unchanged\.\n$", project.compare())


@pytest.mark.full
@pytest.mark.parametrize(
    ("python", "django", "database"),
    [
        ("3.13", "6.*", "postgresql"),
        *in_long([("3.11", "5.2.*", "postgresql"), ("3.13", "6.*", "")]),
    ],
)
async def test_project_with_email_login_serves_its_own_organizations(
    tmp_path, environments, settings_here, connect, python, django, database, request
):
    """Alice, Bob and Mallory have accounts already, and get no second ones."""
    project = Project(tmp_path, environments(python, django, postgresql=bool(database)))
    settings = request.getfixturevalue(database) if database else ""
    project.has_already("email_login", EMAIL_LOGIN + settings)
    project.run("python manage.py makemigrations people organizations")
    project.run("python manage.py migrate")
    await ask(project, PEOPLE_OF_THE_PROJECT)
    project.take_home("live")
    project.write_modules(RECIPE)
    project.write_modules(OWN_TOPICS)
    users = block(project.page, "Users and sign-outs", "REALTIME_USER")
    project.add("mysite/settings.py", settings_here + users)
    routes = "websocket_urlpatterns = [\n"
    project.replace("mysite/asgi.py", routes, f"{routes}    *organizations,\n")
    found = "from live.routing import SocketRouter\n"
    added = "from organizations.routing import websocket_urlpatterns as organizations\n"
    project.replace("mysite/asgi.py", found, found + added)
    migrate(project)
    async with served(project) as server:
        happens = SEND_TO_THE_ORGANIZATION + ALICE_LEAVES_THE_ORGANIZATION + COUNT_USERS
        printed = await two_members_are_served(
            connect, project, server, ORGANIZATION, happens=happens
        )
    assert printed == "3\n"


@pytest.mark.full
async def test_project_keeps_its_own_routes(tmp_path, environments, settings_here, connect):
    """Routes stand before ours and behind; then others, with a session, get what ours leave."""
    project = Project(tmp_path, environments("3.11", "5.2.*"))
    project.has_already("own_routes")
    project.take_home("live")
    project.write_modules(RECIPE)
    project.add("mysite/settings.py", settings_here)
    migrate(project)
    asgi = "mysite/asgi.py"
    ours = '    path("ws/teams/<int:team_id>/", TeamConsumer.as_asgi()),\n'
    project.replace(asgi, ours, f"    *chat_urlpatterns,\n{ours}    *news_urlpatterns,\n")
    first = "from mysite.consumers import TeamConsumer\n"
    project.replace(
        asgi, first, f"from chat.routing import chat_urlpatterns, news_urlpatterns\n{first}"
    )
    async with served(project) as server:
        for path in ("/ws/chat/", "/ws/news/"):
            chat = await connect(server, path, "alice")
            assert (await chat.receive())["chat"].startswith("keycloak-")
        assert await refused(connect, server, TEAM, "alice") == CloseCode.FORBIDDEN
        server.process.terminate()
        assert await chat.closed() == CloseCode.RESTART
    text = (project.folder / asgi).read_text()
    line = re.search(r'"websocket": .+\n        \),\n', text, re.DOTALL)[0]
    project.replace(asgi, line, block(project.page, RECIPE, '"websocket": SocketRouter('))
    project.replace(asgi, first, f"{CHANNELS}{first}")
    session = (await ask(project, CAROL_SIGNS_IN)).strip()
    async with served(project) as server:
        cookie = {"Cookie": f"sessionid={session}"}
        chat = await connect(server, "/ws/chat/", headers=cookie, origin=server.http)
        assert await chat.receive() == {"chat": "carol"}
        assert await refused(connect, server, TEAM, "alice") == CloseCode.FORBIDDEN
        for path, origin in (("nothing", server.http), ("chat", "https://evil.example")):
            with pytest.raises(InvalidStatus, match="403"):
                await connect(server, f"/ws/{path}/", headers=cookie, origin=origin)
