import asyncio
import os
import re
import signal
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import httpx
import jwt
import pytest
from asgiref.sync import sync_to_async
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.test import Client

from api.models import Membership
from classroom import Client as Socket
from demo.management.commands.demo import introduction
from demo.people import ORG_ID, settle
from demo.supervisor import Supervisor
from devrealm import keys
from devrealm.accounts import PEOPLE
from devrealm.issue import access_token
from tests.app.dialogue import EVENTS, NOTIFICATIONS, established
from tests.wire.fixtures import demo_served
from tests.wire.servers import PATIENCE, eventually

REALM = "/realms/demo"
TOKEN = f"{REALM}/protocol/openid-connect/token"
FORM = {"grant_type": "password", "client_id": "web", "username": "alice", "password": "alice"}


def test_discovery_leads_to_the_other_endpoints(settings):
    document = Client().get(f"{REALM}/.well-known/openid-configuration").json()
    assert document["issuer"] == settings.REALTIME_ISSUER["ISSUER"]
    assert document["token_endpoint"] == settings.REALTIME_ISSUER["ISSUER"].replace(REALM, TOKEN)
    assert document["jwks_uri"].endswith(f"{REALM}/protocol/openid-connect/certs")


def test_token_for_a_password_is_verified_by_the_published_keys(settings):
    answer = Client(enforce_csrf_checks=True).post(TOKEN, FORM).json()
    certs = Client().get(f"{REALM}/protocol/openid-connect/certs").json()
    key = jwt.PyJWKSet.from_dict(certs)[jwt.get_unverified_header(answer["access_token"])["kid"]]
    claims = jwt.decode(answer["access_token"], key, audience=settings.REALTIME_ISSUER["AUDIENCE"])
    assert claims["exp"] - claims["iat"] == answer["expires_in"] == 300
    assert (claims["typ"], claims["azp"], claims["preferred_username"]) == (
        "Bearer",
        "web",
        "alice",
    )
    assert {"jti", "iss", "sub", "sid", "acr", "scope", "realm_access", "email"} <= set(claims)


@pytest.mark.parametrize(
    ("change", "status", "error"),
    [
        ({"password": "wrong"}, 401, "invalid_grant"),
        ({"username": "nobody", "password": "nobody"}, 401, "invalid_grant"),
        ({"client_id": "other"}, 401, "invalid_client"),
        ({"grant_type": "implicit"}, 400, "unsupported_grant_type"),
    ],
)
def test_wrong_form_is_refused_in_keycloaks_words(change, status, error):
    answer = Client().post(TOKEN, FORM | change)
    assert (answer.status_code, answer.json()["error"]) == (status, error)
    assert answer.json()["error_description"]


def test_key_is_made_once_however_many_ask(settings, tmp_path):
    settings.DATA_DIR = tmp_path
    with ThreadPoolExecutor(4) as threads:
        made = list(threads.map(lambda _: keys.signing_key.__wrapped__(), range(4)))
    assert len({key.private_numbers().p for key in made}) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["devrealm.pem"]
    assert (tmp_path / "devrealm.pem").stat().st_mode & 0o077 == 0


def test_check_lets_it_pass_and_deployment_check_refuses_it(capsys):
    call_command("check")
    with pytest.raises(SystemCheckError, match="devrealm.E001"):
        call_command("check", deploy=True)


# What the demo page can cause


def caller(username, **claims):
    token = access_token(username, **claims)
    return Client(headers={"Authorization": f"Bearer {token}"}, enforce_csrf_checks=True)


@pytest.mark.parametrize("seconds", ["1", "5", "300"])
def test_token_lives_as_long_as_the_form_asks(seconds):
    answer = Client().post(TOKEN, FORM | {"lifespan": seconds}).json()
    claims = jwt.decode(answer["access_token"], options={"verify_signature": False})
    assert claims["exp"] - claims["iat"] == answer["expires_in"] == int(seconds)


@pytest.mark.parametrize("lifespan", ["0", "-1", "301", "1.5", "", "²", "9" * 5_000])
def test_lifespan_out_of_bounds_is_refused(lifespan):
    answer = Client().post(TOKEN, FORM | {"lifespan": lifespan})
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


@pytest.mark.parametrize("path", ["notify", "task", "membership", "sign-out", "restart"])
def test_nobody_causes_anything_without_a_token(path):
    answer = Client().post(f"/demo/{path}/")
    assert (answer.status_code, answer.json()["error"]) == (401, "token_missing")
    assert Client().get(f"/demo/{path}/").status_code == 405


def post(client, path, body):
    return client.post(path, body, content_type="application/json")


ON_PUBSUB = pytest.mark.parametrize("layer", ["pubsub"], indirect=True)


@ON_PUBSUB
async def test_one_person_notifies_another_and_nobody_else(people, layer):
    async with (
        established(NOTIFICATIONS, "alice") as alice,
        established(NOTIFICATIONS, "bob") as bob,
    ):
        answer = await sync_to_async(post)(caller("alice"), "/demo/notify/", {"to": "bob"})
        assert answer.status_code == 202
        told = {"title": "Hello from Alice", "body": "For Bob only.", "from": "Alice"}
        assert (await bob.receive())["notification"] == told == answer.json()["notification"]
        assert await alice.receive_nothing()


@pytest.mark.parametrize("body", ["{", "[]", "{}", '{"to": "nobody"}', '{"to": ["bob"]}'])
def test_notification_to_nobody_is_refused(transactional_db, body):
    settle()
    answer = post(caller("alice"), "/demo/notify/", body)
    assert (answer.status_code, answer.json()["error"]) == (400, "bad_request")


@ON_PUBSUB
async def test_leaving_ends_the_organizations_socket_and_no_other(people, layer):
    async with established(EVENTS, "bob") as events, established(NOTIFICATIONS, "bob") as mine:
        answer = await sync_to_async(caller("bob").delete)("/demo/membership/")
        assert answer.json() == {"is_member": False}
        assert (await events.receive())["code"] == 4003
        assert await events.closed() == 4003
        assert await mine.receive_nothing()
    answer = await sync_to_async(caller("bob").post)("/demo/membership/")
    assert answer.json() == {"is_member": True}
    async with established(EVENTS, "bob"):
        pass


def test_stranger_who_joins_twice_is_a_member_once(transactional_db):
    settle()
    for _ in range(2):
        assert caller("mallory").post("/demo/membership/").status_code == 200
    user = Membership.objects.get(user__token_identities__subject=PEOPLE["mallory"].subject).user
    assert user.organizations.get().id == ORG_ID


@ON_PUBSUB
async def test_signing_out_ends_the_session_and_no_other(people, layer):
    first, other = access_token("alice", sid="first"), access_token("alice", sid="other")
    async with (
        established(NOTIFICATIONS, token=first) as ended,
        established(NOTIFICATIONS, token=other) as open_still,
    ):
        await sync_to_async(caller("alice", sid="first").post)("/demo/sign-out/")
        assert (await ended.receive())["code"] == 4001
        assert await ended.closed() == 4001
        assert await open_still.receive_nothing()


def test_strangers_task_is_not_queued(transactional_db, monkeypatch):
    settle()
    queued = []
    monkeypatch.setattr("api.tasks.process_document.delay", lambda *task: queued.append(task))
    monkeypatch.setattr("demo.worker.start", lambda: None)
    answer = caller("mallory").post("/demo/task/")
    assert (answer.status_code, answer.json()["error"], queued) == (403, "forbidden", [])
    assert caller("bob").post("/demo/task/").status_code == 202
    [(subject, organization, _)] = queued
    assert (subject, organization) == (PEOPLE["bob"].subject, str(ORG_ID))


def test_server_without_a_supervisor_is_not_stopped(transactional_db, monkeypatch):
    settle()
    monkeypatch.setattr("demo.supervisor.stop", lambda: pytest.fail("It was stopped."))
    answer = caller("alice").post("/demo/restart/")
    assert (answer.status_code, answer.json()["error"]) == (409, "not_supervised")


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    with demo_served(tmp_path_factory.mktemp("demo")) as server:
        yield server


async def cause(demo, username, name):
    headers = {"Authorization": f"Bearer {demo_token(demo, username)}"}
    async with httpx.AsyncClient(headers=headers, timeout=PATIENCE) as http:
        return (await http.post(f"{demo.http}/demo/{name}/")).raise_for_status().json()


def demo_token(demo, username) -> str:
    form = FORM | {"username": username, "password": username}
    answer = httpx.post(f"{demo.http}{TOKEN}", data=form, timeout=PATIENCE)
    return answer.raise_for_status().json()["access_token"]


async def joined(demo, username, path):
    token = await asyncio.to_thread(demo_token, demo, username)
    client = await Socket.connect(f"{demo.ws}{path}", token=token)
    assert (await client.receive())["type"] == "connection.established"
    return client


@pytest.mark.full
async def test_task_runs_in_the_demos_own_worker(demo):
    alice, bob = await joined(demo, "alice", NOTIFICATIONS), await joined(demo, "bob", EVENTS)
    document = (await cause(demo, "alice", "task"))["document"]
    assert document in (await alice.receive())["notification"]["body"]
    assert (await bob.receive())["data"]["document_id"] == document
    await alice.leave()
    await bob.leave()


@pytest.mark.full
async def test_restart_closes_with_1012_and_the_server_comes_back(demo):
    alice = await joined(demo, "alice", NOTIFICATIONS)
    await cause(demo, "alice", "restart")
    assert await alice.closed() == 1012
    again = await joined(demo, "alice", NOTIFICATIONS)
    assert demo.process.poll() is None
    await again.leave()


@pytest.mark.full
async def test_page_and_its_files_are_served(demo):
    async with httpx.AsyncClient(timeout=PATIENCE) as http:
        assert (await http.get(demo.http)).status_code == 200
        script = await http.get(f"{demo.http}/static/demo/demo.js")
    assert script.headers["Content-Type"].startswith("text/javascript")


@pytest.mark.full
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
async def test_server_ends_with_its_supervisor(tmp_path, number):
    with demo_served(tmp_path) as demo:
        alice = await joined(demo, "alice", NOTIFICATIONS)
        demo.process.send_signal(number)
        status = await asyncio.to_thread(demo.process.wait, PATIENCE)
        assert status == (0 if number != signal.SIGKILL else -signal.SIGKILL)
        # Told, and not dropped: the server has drained, also where its supervisor could not ask.
        assert await alice.closed() == 1012
        await eventually(lambda: not demo.accepts())


def child_of(pid: int) -> int:
    return int(subprocess.check_output(["pgrep", "-P", str(pid)]))


@pytest.mark.full
async def test_server_that_is_killed_is_started_again_and_the_demo_says_so(tmp_path):
    with demo_served(tmp_path) as demo:
        alice = await joined(demo, "alice", NOTIFICATIONS)
        os.kill(child_of(demo.process.pid), signal.SIGKILL)
        assert await alice.closed() == 1006
        again = await joined(demo, "alice", NOTIFICATIONS)
        await demo.logs("The server was ended by SIGKILL. The demo starts another one.")
        await again.leave()


def test_demo_prints_one_screen_that_begins_with_its_address():
    lines = introduction(8000).splitlines()
    assert lines[0].startswith("Serving http://127.0.0.1:8000, ")
    assert len(lines) <= 24
    # A token would fill the screen.
    assert not re.search(r"eyJ", "\n".join(lines))


def test_token_that_the_demo_prints_is_that_of_its_person(capsys):
    call_command("demo", token="bob")
    claims = jwt.decode(capsys.readouterr().out.strip(), options={"verify_signature": False})
    assert claims["preferred_username"] == "bob"


@pytest.mark.parametrize("end", ["raise SystemExit", "import os; os.kill(os.getpid(), 9)"])
def test_server_that_ended_without_a_fault_is_started_again(signals, tmp_path, end):
    first = tmp_path / "first"
    twice = f"import os\ntry: os.mkdir({str(first)!r})\nexcept OSError: os._exit(3)\n{end}"
    with socket.create_server(("127.0.0.1", 0)) as listener:
        assert Supervisor([sys.executable, "-c", twice], listener).run() == 3


def test_server_that_fails_is_not_started_again(signals):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        failing = [sys.executable, "-c", "raise SystemExit(3)"]
        assert Supervisor(failing, listener).run() == 3


@pytest.fixture
def signals():
    """Have this process answer signals as before, in the end."""
    usual = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in usual.items():
        signal.signal(number, handler)
