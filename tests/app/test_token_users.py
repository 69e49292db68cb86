"""Users that are made from tokens: their passwords, and the emails that follow the tokens."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.forms import PasswordResetForm
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.test import AsyncClient

from devrealm.issue import access_token
from realtime.authority.users import active_user
from realtime.identity.issuers import trusted_issuer
from realtime.models import Identity
from tests.app.dialogue import NOTIFICATIONS, established

pytestmark = pytest.mark.django_db(transaction=True)

User = get_user_model()
CLAIMS = {"sub": "auth0|abc", "email": "abc@example.com", "email_verified": True}
NEW = {"email": "new@example.com", "email_verified": True}


def email_after(**changes):
    return active_user(CLAIMS | changes).email


def test_user_has_the_verified_email_and_no_password_to_reset():
    """Django counts the password "" as usable: its form would let them past the issuer."""
    user = active_user(CLAIMS)
    assert (user.email, user.has_usable_password()) == ("abc@example.com", False)
    assert [*PasswordResetForm().get_users("abc@example.com")] == []


def migrate(name):
    executor = MigrationExecutor(connection)
    executor.migrate([("realtime", name)])


@pytest.mark.full
def test_migration_makes_the_empty_password_unusable_and_takes_rows_of_processes_before_it():
    ours, admin = active_user(CLAIMS), User.objects.create_user("admin", password="secret")
    untied = User.objects.create(username="untied")
    User.objects.filter(pk=ours.pk).update(password="")
    Identity.objects.create(issuer="another", subject="x", user=ours)
    Identity.objects.create(issuer="another", subject="admin", user=admin)
    try:
        migrate("0001_initial")
    finally:
        migrate("0002_sign_outs")
    assert not User.objects.get(pk=ours.pk).has_usable_password()
    assert User.objects.get(pk=admin.pk).check_password("secret")
    assert User.objects.get(pk=untied.pk).password == ""
    columns = "INSERT INTO realtime_identity (issuer, subject, user_id) VALUES ('old', 'old', %s)"
    with connection.cursor() as cursor:
        cursor.execute(columns, [untied.pk])
    assert Identity.objects.get(issuer="old").signed_out_at == 0


@pytest.mark.parametrize("verified", [False, None, "true"])
def test_email_that_is_not_verified_is_neither_stored_nor_followed(verified):
    assert email_after(sub="other", email_verified=verified) == ""
    assert email_after() == "abc@example.com"
    assert email_after(email="new@example.com", email_verified=verified) == "abc@example.com"


NO_EMAILS = [None, "", "a\x00b", "\ud800", "x" * 255, 7, ["a@b"], {}]


@pytest.mark.parametrize("email", NO_EMAILS, ids=repr)
def test_email_that_no_database_would_keep_lets_its_user_in_all_the_same(email):
    assert email_after(email=email) == ""
    assert email_after() == email_after(email=email) == "abc@example.com"


def test_email_follows_the_token_and_is_written_only_when_it_differs(django_assert_num_queries):
    active_user(CLAIMS)
    assert email_after(**NEW) == User.objects.get().email == "new@example.com"
    for email in ("new@example.com", "NEW@example.com"):
        with django_assert_num_queries(1):
            email_after(email=email)


@pytest.mark.usefixtures("people", "layer")
@pytest.mark.parametrize("layer", ["pubsub"], indirect=True)
async def test_email_follows_at_each_visit_of_a_socket_and_of_rest():
    async def email():
        return (await User.objects.aget(identities__subject="a new one")).email

    for number in range(2):
        claims = {"sub": "a new one", "email": f"socket{number}@example.com"}
        async with established(NOTIFICATIONS, token=access_token("alice", **claims)):
            assert await email() == claims["email"]
        claims["email"] = f"rest{number}@example.com"
        headers = {"Authorization": f"Bearer {access_token('alice', **claims)}"}
        answer = await AsyncClient().get("/api/me/", headers=headers)
        assert answer.json()["email"] == await email() == claims["email"]


def test_email_of_a_user_that_was_made_by_hand_stays():
    hand_made = User.objects.create_user("abc", "mine@example.com")
    Identity.objects.create(issuer=trusted_issuer().issuer, subject=CLAIMS["sub"], user=hand_made)
    assert email_after() == User.objects.get().email == "mine@example.com"


def test_email_that_is_the_login_name_stays(monkeypatch):
    monkeypatch.setattr(User, "EMAIL_FIELD", "username")
    name = active_user(CLAIMS).username
    assert name.startswith("keycloak-")
    assert active_user(CLAIMS).username == User.objects.get().username == name


def test_model_without_emails_has_users_all_the_same(monkeypatch):
    monkeypatch.setattr(User, "EMAIL_FIELD", "no_such_field")
    assert active_user(CLAIMS) == active_user(CLAIMS | NEW)


@contextmanager
def unique_emails(monkeypatch):
    """Have the database and the model's field want different emails."""
    monkeypatch.setattr(User._meta.get_field("email"), "unique", True)
    with connection.cursor() as cursor:
        cursor.execute("CREATE UNIQUE INDEX one_email ON auth_user (email)")
        try:
            yield
        finally:
            cursor.execute("DROP INDEX one_email")


def test_email_that_another_user_has_keeps_nobody_out(monkeypatch, caplog):
    with unique_emails(monkeypatch):
        first, second = active_user(CLAIMS), active_user(CLAIMS | {"sub": "second"})
        assert (first.email, second.email) == ("abc@example.com", second.username)
        assert active_user({"sub": "third"}) != active_user({"sub": "fourth"})
        assert email_after(sub="second", **NEW) == "new@example.com"
        assert active_user(CLAIMS | NEW).email == "abc@example.com"
    refused = "could not follow the token: IntegrityError"
    assert [f"user {each.pk} {refused}" in caplog.text for each in (first, second)] == [True, True]
    assert len(caplog.records) == 2
    assert "example.com" not in caplog.text


def test_first_visits_at_once_make_one_user_with_its_email():
    def visit(_):
        try:
            return active_user(CLAIMS).pk
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as threads:
        users = set(threads.map(visit, range(16)))
    assert len(users) == User.objects.count() == Identity.objects.count() == 1
    assert User.objects.get().email == "abc@example.com"
