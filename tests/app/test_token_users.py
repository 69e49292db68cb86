"""Users that are made from tokens or found by their emails, and the emails that follow tokens."""

from contextlib import contextmanager

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.forms import PasswordResetForm
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.test import AsyncClient

from devrealm.issue import access_token
from realtime.authority.emails import is_same_mailbox
from realtime.authority.token_users import link_by_verified_email, make_user
from realtime.authority.users import active_user
from realtime.identity.errors import InvalidTokenError
from realtime.identity.issuers import trusted_issuer
from realtime.models import Identity
from tests.app.dialogue import NOTIFICATIONS, established
from tests.app.test_users import at_once

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


@contextmanager
def migrated_to(name):
    """Go back to a migration, and return to the newest one."""
    newest = MigrationExecutor(connection).loader.graph.leaf_nodes("realtime")
    try:
        MigrationExecutor(connection).migrate([("realtime", name)])
        yield
    finally:
        MigrationExecutor(connection).migrate(newest)


@pytest.mark.full
def test_migration_makes_the_empty_password_unusable_and_takes_rows_of_processes_before_it():
    ours, admin = active_user(CLAIMS), User.objects.create_user("admin", password="secret")
    untied = User.objects.create(username="untied")
    User.objects.filter(pk=ours.pk).update(password="")
    Identity.objects.create(issuer="another", subject="x", user=ours)
    Identity.objects.create(issuer="another", subject="admin", user=admin)
    with migrated_to("0001_initial"):
        pass
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
        return (await User.objects.aget(token_identities__subject="a new one")).email

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


def refusal(caplog, **changes):
    """Return what the log says of a token that gets no account."""
    caplog.clear()
    count = User.objects.count()
    with pytest.raises(InvalidTokenError, match="No account could be made."):
        active_user(CLAIMS | changes)
    assert User.objects.count() == count
    return caplog.text


@pytest.fixture
def email_login(monkeypatch):
    """Have users log in by their email, which is unique."""
    monkeypatch.setattr(User, "EMAIL_FIELD", "username")


@pytest.mark.usefixtures("email_login")
def test_email_that_is_the_login_name_stays():
    name = active_user(CLAIMS).username
    assert name.startswith("keycloak-")
    assert active_user(CLAIMS).username == User.objects.get().username == name


@pytest.mark.usefixtures("email_login")
@pytest.mark.parametrize("verified", [True, False])
def test_person_who_logs_in_by_the_email_of_a_token_gets_no_second_account(caplog, verified):
    User.objects.create(username="ABC@Example.com", is_active=verified)
    log = refusal(caplog, email_verified=verified)
    assert "A user logs in by the token's email" in log
    assert "set REALTIME_USER to 'realtime.authority.token_users.link_by_verified_email'" in log


@pytest.mark.usefixtures("email_login")
@pytest.mark.parametrize("email", NO_EMAILS, ids=repr)
def test_login_by_email_needs_a_token_that_tells_who_it_is(caplog, email):
    assert "The token has no email" in refusal(caplog, email=email)
    assert "link_by_verified_email" in caplog.text


@pytest.fixture
def linking(settings):
    settings.REALTIME_USER = f"{link_by_verified_email.__module__}.link_by_verified_email"


@pytest.fixture
def mike(linking):
    """A user who was there before the first token, and may have the email of another spelling."""
    return User.objects.create_user("mike", "Mike@Example.com", "a password")


def visit(**changes):
    return active_user(CLAIMS | {"email": "mike@example.com"} | changes)


def test_verified_email_links_the_user_that_has_it_in_any_case(mike, django_assert_num_queries):
    assert visit() == visit(email="MIKE@example.COM") == mike
    with django_assert_num_queries(1):
        visit()
    assert User.objects.get().check_password("a password")


@pytest.mark.usefixtures("email_login")
def test_verified_email_that_is_a_login_name_links_its_user(linking):
    mike = User.objects.create(username="mike@example.com")
    assert visit(email="Mike@example.com") == mike


def test_email_of_a_user_that_was_linked_is_never_overwritten(mike):
    visit()
    assert visit(**NEW).email == User.objects.get().email == "Mike@example.com"


@pytest.mark.parametrize("verified", [False, None, "true", 1])
def test_email_that_is_not_verified_links_nobody(mike, verified):
    stranger = visit(email_verified=verified)
    assert (stranger == mike, stranger.email) == (False, "")


OTHER_MAILBOXES = [
    "m\u0131ke@example.com",  # a dotless i, which is I in upper case
    "mi\u212ae@example.com",  # the sign for kelvin, which is k in lower case
    "mike@example.com.org",
    "m%@example.com",
    "_ike@example.com",
    " mike@example.com",
]


@pytest.mark.parametrize("email", OTHER_MAILBOXES, ids=ascii)
def test_mailboxes_are_told_apart_also_where_the_database_does_not(email):
    assert not is_same_mailbox(email, "mike@example.com")
    assert is_same_mailbox(email, email)


@pytest.mark.parametrize("email", OTHER_MAILBOXES, ids=ascii)
def test_email_of_another_mailbox_links_nobody(mike, email):
    assert visit(email=email) != mike


def test_email_that_nobody_has_makes_a_user_as_the_default_does(linking):
    user = visit()
    assert (user.email, user.has_usable_password()) == ("mike@example.com", False)
    assert user.username.startswith("keycloak-")
    assert visit(**NEW).email == "new@example.com"


def test_email_that_is_not_in_ascii_links_its_own_user_only(linking):
    users = [User.objects.create_user(name, f"{name}@example.com") for name in ("zoë", "zoe")]
    assert visit(email="zoë@example.com") == users[0]


FAULTS = {
    "is_staff": "is an administrator",
    "is_superuser": "is an administrator",
    "is_active": "0 active users have the token's email",
}


@pytest.mark.parametrize(("field", "fault"), FAULTS.items(), ids=FAULTS)
def test_email_opens_no_account_of_an_administrator_nor_of_a_disabled_user(
    mike, caplog, field, fault
):
    User.objects.update(**{field: field != "is_active"})
    assert fault in refusal(caplog, email="mike@example.com")


def test_email_of_several_users_opens_none_of_their_accounts(mike, caplog):
    other = User.objects.create_user("other", "mike@example.com")
    assert "2 active users have the token's email" in refusal(caplog, email="mike@example.com")
    User.objects.filter(pk=other.pk).update(is_active=False)
    assert visit() == mike


def test_two_subjects_of_an_issuer_are_not_linked_to_one_user(mike, caplog, settings):
    visit()
    log = refusal(caplog, sub="another", email="mike@example.com")
    assert "tied to another subject of the issuer" in log
    settings.REALTIME_ISSUER = settings.REALTIME_ISSUER | {"ISSUER": "https://id.example.com"}
    assert visit() == visit(sub=CLAIMS["sub"]) == mike


def test_log_of_a_refusal_names_no_email(mike, caplog):
    User.objects.update(is_staff=True)
    assert "example.com" not in refusal(caplog, email="mike@example.com")


def named(claims):
    user = make_user(claims)
    user.first_name, user.email = claims["name"], "chosen@example.com"
    user.save()
    return user


def test_email_of_a_user_that_the_project_makes_is_its_own_affair(settings):
    settings.REALTIME_USER = named
    user = visit(name="Mike")
    assert (user.first_name, user.email) == ("Mike", "chosen@example.com")
    assert visit(**NEW).email == User.objects.get().email == "chosen@example.com"


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
    users = set(at_once(lambda _: active_user(CLAIMS).pk, range(16)))
    assert len(users) == User.objects.count() == Identity.objects.count() == 1
    assert User.objects.get().email == "abc@example.com"
