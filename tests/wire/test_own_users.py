"""Projects with user models of their own: people log in by email, or have fields to be filled."""

import json
import os
import subprocess
import sys

import pytest

from realtime.authority.token_users import link_by_verified_email
from realtime.protocol.close_codes import CloseCode
from tests.wire.servers import COMMANDS, serving

LINKING = f"{link_by_verified_email.__module__}.{link_by_verified_email.__name__}"
MODELS = ["Person", "Robot", "Employee", "Customer", "Applicant"]

ALICE = {"sub": "s-alice", "email": "alice@example.com"}
VERIFIED = {"email_verified": True}

# Makes the tables, and alice, whom a project had before its first token.
PREPARE = """
import django, json, sys; django.setup()
from django.contrib.auth import get_user_model
from django.core.management import call_command
call_command("migrate", run_syncdb=True, verbosity=0)
User = get_user_model()
"""
PREPARE_ALICE = f"""{PREPARE}
alice, _ = User._base_manager.get_or_create(email="Alice@example.com")
"""
DISABLE = "User._base_manager.update(is_active=False)"
# Visits with claims that come as an argument, and prints what became of each.
VISIT = """
from realtime.authority.users import active_user
from realtime.identity.errors import InvalidTokenError
def visit(claims):
    try:
        user = active_user(claims)
    except InvalidTokenError as error:
        return error.code
    return [str(user.pk), user.get_username(), user.has_usable_password()]
print(json.dumps([visit(claims) for claims in json.loads(sys.argv[1])]))
"""
# Calls the admin as its pages do, though not every user model has administrators.
CHECK_AND_LIST = """
call_command("check")
call_command("makemigrations", "realtime", check_changes=True)
from django.contrib import admin
from django.test import RequestFactory
from realtime.models import Identity
from realtime.authority.users import sign_out
sign_out("never here", 1)
identities, request = admin.site._registry[Identity], RequestFactory().get("/", {"q": "never"})
request.user = type("Administrator", (), {"has_perm": lambda self, name: True})()
found = identities.get_changelist_instance(request).queryset
identities.get_form(request)().as_p()
print(*found)
"""


class Project:
    """The project with one of the user models, on a SQLite of its own."""

    def __init__(self, environment, folder):
        own = {
            "DJANGO_SETTINGS_MODULE": "tests.wire.variants.own_users.settings",
            "DATABASE_URL": f"sqlite:///{folder}/own.sqlite3",
            "OWN_USER": "Person",
        }
        self.environment = environment | own

    def run(self, *command, **environment):
        done = subprocess.run(
            [sys.executable, *command],
            env=os.environ | self.environment | environment,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        return done

    def visit(self, *visitors, prepare=PREPARE, **environment):
        """Return what became of the visitors with these claims, and the log."""
        done = self.run("-c", prepare + VISIT, json.dumps(visitors), **environment)
        return json.loads(done.stdout), done.stderr

    def serving(self, **environment):
        command = [*COMMANDS["realtime.server"], "tests.wire.variants.own_users.asgi:application"]
        return serving(command, **self.environment, **environment)


@pytest.fixture
def project(environment, tmp_path):
    return Project(environment, tmp_path)


@pytest.mark.full
async def test_user_who_logs_in_by_email_is_refused_and_then_linked(project, connect):
    alice = project.run("-c", f"{PREPARE_ALICE}print(alice.pk)").stdout.strip()
    with project.serving() as server:
        client = await connect(server, "/ws/inbox/", "alice")
        closing = await client.receive()
        assert (closing["code"], closing["reason"]) == (4001, "No account could be made.")
        assert await client.closed() == CloseCode.UNAUTHORIZED
        await server.logs(f"set REALTIME_USER to '{LINKING}'")
    with project.serving(OWN_FUNCTION=LINKING) as server:
        client = await connect(server, "/ws/inbox/", "alice")
        greeting = await client.receive()
    assert greeting["type"] == "connection.established"
    assert (greeting["user"], greeting["login"]) == (alice, "Alice@example.com")


@pytest.mark.full
@pytest.mark.parametrize("model", MODELS)
def test_check_is_clean_beside_the_model_and_the_admin_searches_its_users(project, model):
    assert project.run("-c", PREPARE + CHECK_AND_LIST, OWN_USER=model).stdout.splitlines() == [
        "System check identified no issues (0 silenced).",
        "No changes detected in app 'realtime'",
        "never here",
    ]


@pytest.mark.full
def test_person_who_logs_in_by_email_has_one_account_by_a_rule_that_the_project_chose(project):
    new = {"sub": "s-3", "email": "new@example.com"}
    visitors = [ALICE, ALICE | VERIFIED, {"sub": "s-1"}, {"sub": "s-2"}, new]
    became, log = project.visit(*visitors, prepare=PREPARE_ALICE)
    assert became[:4] == ["no_account"] * 4
    assert (became[4][1][:9], became[4][2]) == ("keycloak-", False)
    assert log.count("A user logs in by the token's email") == 4  # the line, and its traceback
    assert log.count("The token has no email") == 4
    became, _ = project.visit(*visitors, prepare=PREPARE_ALICE, OWN_FUNCTION=LINKING)
    assert (became[0], became[2:4]) == ("no_account", ["no_account"] * 2)
    assert became[1][1] == "Alice@example.com"


@pytest.mark.full
def test_disabled_person_whom_the_manager_hides_gets_no_new_account(project):
    prepare = PREPARE_ALICE + DISABLE
    for function in ({}, {"OWN_FUNCTION": LINKING}):
        assert project.visit(ALICE | VERIFIED, prepare=prepare, **function)[0] == ["no_account"]


@pytest.mark.full
@pytest.mark.parametrize("function", [{}, {"OWN_FUNCTION": LINKING}], ids=["default", "linking"])
def test_model_without_emails_has_a_user_for_each_subject(project, function):
    became, _ = project.visit(ALICE | VERIFIED, {"sub": "s-1"}, OWN_USER="Robot", **function)
    assert [name[:9] for _, name, _ in became] == ["keycloak-"] * 2
    assert len({key for key, _, _ in became}) == 2


@pytest.mark.full
@pytest.mark.parametrize(
    ("model", "missing"),
    [
        ("Employee", "NOT NULL constraint failed: own_users_employee.department_id"),
        ("Applicant", "NOT NULL constraint failed: own_users_applicant.is_active"),
        ("Customer", "Customer has required fields that no token fills (phone)."),
    ],
)
def test_log_names_the_required_field_and_the_setting(project, model, missing):
    became, log = project.visit(ALICE, OWN_USER=model)
    assert became == ["no_account"]
    [line] = [line for line in log.splitlines() if line.startswith("REALTIME_USER made no account")]
    assert missing in line


@pytest.mark.full
def test_function_of_the_projects_own_fills_the_required_fields(project):
    own = {"OWN_USER": "Employee", "OWN_FUNCTION": "tests.wire.variants.own_users.functions.employ"}
    became, _ = project.visit(ALICE | {"department": "sales"}, ALICE, **own)
    assert became[0] == became[1]
    assert became[0][1] == "s-alice"
