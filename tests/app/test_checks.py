"""What `manage.py check` says of the issuer, the history and what is not installed."""

import os
import subprocess
import sys
from datetime import timedelta

import jwt
import pytest
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.db import OperationalError
from django.db.models import QuerySet
from django.utils import timezone

from realtime.checks import check_history, check_issuer
from realtime.identity import errors, tokens
from realtime.identity.algorithms import ALGORITHMS
from realtime.identity.profiles import KEYS, PROFILES
from realtime.models import Entry
from realtime.tests.entries import append
from tests.app.issuer_profiles import KINDS, settings_of, token_of
from tests.project.readme import ROOT

GOOD = {"ISSUER": "https://id.example.com/realms/main", "AUDIENCE": "my-app"}

# A wrong part of REALTIME_ISSUER, and what is said of it.
WRONG = [
    ({"ISSUER": ""}, "REALTIME_ISSUER has no ISSUER.", "`iss`"),
    ({"AUDIENCE": ""}, "REALTIME_ISSUER has no AUDIENCE.", "audience"),
    ({"ISUER": "x"}, "REALTIME_ISSUER has the unknown key 'ISUER'.", ", ".join(KEYS)),
    (
        {"PROFILE": "google"},
        "REALTIME_ISSUER has the unknown PROFILE 'google'.",
        ", ".join(PROFILES),
    ),
    ({"AUDIENCE": ["a"]}, "REALTIME_ISSUER has ['a'] as AUDIENCE.", "It has to be a string."),
    ({"PROFILE": ["okta"]}, "REALTIME_ISSUER has ['okta'] as PROFILE.", "It has to be a string."),
    ({"KEYS_URL": None}, "REALTIME_ISSUER has None as KEYS_URL.", "It has to be a string."),
    (
        {"ALGORITHMS": "RS256"},
        "REALTIME_ISSUER has 'RS256' as ALGORITHMS.",
        "It has to be a list of strings.",
    ),
    (
        {"SUBJECT_CLAIMS": ["sub", 7]},
        "REALTIME_ISSUER has ['sub', 7] as SUBJECT_CLAIMS.",
        "It has to be a list of strings.",
    ),
    (
        {"ALGORITHMS": ["RS256", "HS256", "none"]},
        "REALTIME_ISSUER has 'HS256', 'none' among its ALGORITHMS.",
        ", ".join(ALGORITHMS),
    ),
    ({"ALGORITHMS": []}, "REALTIME_ISSUER has no ALGORITHMS.", "EdDSA"),
    ({"SUBJECT_CLAIMS": []}, "REALTIME_ISSUER has no SUBJECT_CLAIMS.", "user"),
    ({"AUDIENCE_CLAIM": ""}, "REALTIME_ISSUER has no AUDIENCE_CLAIM.", "audience"),
    (
        {"TOKEN_TYPE_CLAIM": "", "TOKEN_TYPE": ""},
        "REALTIME_ISSUER has no TOKEN_TYPE.",
        "that claim",
    ),
    (
        {"PROFILE": "simplejwt"},
        "REALTIME_ISSUER has no KEYS_URL.",
        "to where the signing keys are.",
    ),
    (
        {"PROFILE": "okta", "KEY_CLIENT": "jwt.PyJWKClient"},
        "REALTIME_ISSUER has no KEYS_URL.",
        "Set it to where the signing keys are.",
    ),
    (
        {"KEY_CLIENT": "mysite.keys.Client"},
        "REALTIME_ISSUER has a KEY_CLIENT that cannot be imported: No module named 'mysite'.",
        "dotted path",
    ),
    (
        {"ISSUER": "https://id.example.com/realms/main/.well-known/openid-configuration"},
        "REALTIME_ISSUER has an ISSUER with the path /.well-known in it.",
        "Write 'https://id.example.com/realms/main'",
    ),
    (
        {"ISSUER": "https://id.example.com/realms/main/protocol/openid-connect/certs"},
        "REALTIME_ISSUER has an ISSUER with the path /protocol/openid-connect in it.",
        "Write 'https://id.example.com/realms/main'",
    ),
]


@pytest.mark.parametrize(("changes", "problem", "fix"), WRONG, ids=str)
def test_wrong_part_of_the_issuer_is_reported_with_its_fix(settings, changes, problem, fix):
    settings.REALTIME_ISSUER = GOOD | changes
    (error,) = check_issuer(None)
    assert (error.id, error.msg) == ("realtime.E001", problem)
    assert fix in error.hint


@pytest.mark.parametrize("profile", [name for name in PROFILES if name != "simplejwt"])
def test_issuer_and_audience_are_enough_for_every_profile_with_discovery(settings, profile):
    settings.REALTIME_ISSUER = GOOD | {"PROFILE": profile}
    assert check_issuer(None) == []


def test_check_fails_where_no_token_could_be_verified(settings):
    settings.REALTIME_ISSUER = GOOD | {"PROFILE": "google"}
    with pytest.raises(SystemCheckError, match=r"realtime\.E001.*\n.*The known profiles are"):
        call_command("check")


@pytest.mark.parametrize(("changes", "problem", "fix"), WRONG, ids=str)
def test_wrong_issuer_lets_nobody_in_and_blames_nobody_else(
    settings, caplog, changes, problem, fix
):
    kind = KINDS["keycloak"]
    settings.REALTIME_ISSUER = settings_of(kind) | {"KEYS_URL": ""} | changes
    with pytest.raises(errors.KeysUnavailableError) as refusal:
        tokens.verify(token_of(kind, kind.access))
    assert str(refusal.value) == "The server cannot verify tokens."
    (record,) = (each for each in caplog.records if each.levelname == "ERROR")
    assert record.getMessage().startswith(f"No token can be verified: {problem} ")


@pytest.mark.parametrize("value", ["https://id.example.com", None, []], ids=repr)
def test_issuer_that_is_no_dictionary_lets_nobody_in(settings, value):
    settings.REALTIME_ISSUER = value
    assert [each.msg for each in check_issuer(None)] == ["REALTIME_ISSUER is no dictionary."]
    with pytest.raises(errors.KeysUnavailableError, match="The server cannot verify tokens"):
        tokens.verify(token_of(KINDS["keycloak"], KINDS["keycloak"].access))


def test_missing_cryptography_is_reported_and_not_taken_for_an_outage(
    settings, monkeypatch, caplog
):
    kind = KINDS["keycloak"]
    settings.REALTIME_ISSUER = settings_of(kind)
    token = token_of(kind, kind.access)
    monkeypatch.setattr(jwt.algorithms, "has_crypto", False)
    (error,) = check_issuer(None)
    assert error.msg.startswith("The package cryptography is not installed")
    assert "pip install 'PyJWT[crypto]'" in error.hint
    with pytest.raises(errors.KeysUnavailableError, match="The server cannot verify tokens"):
        tokens.verify(token)
    assert "cryptography is not installed" in caplog.text


# A project that is served by uvicorn, because Daphne needs cryptography itself. In `sys.modules`,
# None is Python's own word for a module that is not there.
WITHOUT_CRYPTOGRAPHY = """
import sys
sys.modules["cryptography"] = None
import django
from django.conf import settings
from django.core.management import call_command
settings.configure(
    INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", "realtime"],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    REALTIME_ISSUER={"ISSUER": "https://id.example.com", "AUDIENCE": "my-app"},
)
django.setup()
call_command("check")
"""


@pytest.mark.full
def test_check_runs_where_cryptography_is_not_installed():
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_CRYPTOGRAPHY],
        cwd=ROOT / "reference_app",
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 1
    assert "(realtime.E001) The package cryptography is not installed" in done.stderr


# The history.

TABLES = ["default"]


def write_old_frame(days: int) -> None:
    entry = append("stream", {"type": "event"})
    Entry.objects.filter(offset=entry.offset).update(created_at=timezone.now() - timedelta(days))


@pytest.mark.django_db
@pytest.mark.parametrize(("days", "warned"), [(0, False), (7.9, False), (8.1, True), (400, True)])
def test_frames_that_should_be_deleted_are_a_warning(days, warned):
    write_old_frame(days)
    append("stream", {"type": "event"})
    warnings = check_history(None, TABLES)
    assert [each.id for each in warnings] == ["realtime.W006"] * warned
    assert all("prune_streams" in each.hint for each in warnings)
    call_command("prune_streams")
    assert check_history(None, TABLES) == []


@pytest.mark.django_db
def test_command_that_migrates_says_it_too(capsys):
    """As `check --database default` does."""
    write_old_frame(9)
    call_command("migrate", skip_checks=False)
    assert "(realtime.W006) Frames of 2" in capsys.readouterr().err


@pytest.mark.django_db
def test_history_is_judged_by_one_query_of_few_rows(django_assert_num_queries):
    write_old_frame(9)
    with django_assert_num_queries(1) as queries:
        check_history(None, TABLES)
    assert "LIMIT 1000" in queries[0]["sql"]


def test_history_is_judged_only_where_a_database_may_be_asked():
    """`manage.py check` alone has none; `migrate` and `check --database default` have one."""
    assert check_history(None, None) == check_history(None, ["other"]) == []


def test_history_is_not_judged_where_the_database_is_away(monkeypatch):
    def fail(self):
        raise OperationalError("no such host")

    monkeypatch.setattr(QuerySet, "__iter__", fail)
    assert check_history(None, TABLES) == []


@pytest.mark.django_db
def test_history_is_not_judged_where_no_table_exists_yet(monkeypatch):
    monkeypatch.setattr(Entry._meta, "db_table", "not_migrated_yet")
    assert check_history(None, TABLES) == []


@pytest.mark.django_db
def test_history_is_not_judged_by_a_wrong_age(settings):
    write_old_frame(9)
    settings.REALTIME_HISTORY_DAYS = "7"
    assert check_history(None, TABLES) == []
