"""The first visit of a subject: REALTIME_USER is asked once, in the transaction that stores it."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AnonymousUser
from django.db import (
    DataError,
    IntegrityError,
    InterfaceError,
    OperationalError,
    connection,
    connections,
)
from django.test import AsyncClient

from devrealm.issue import access_token
from realtime.authority.token_users import link_by_verified_email
from realtime.authority.users import active_user, end_session, sign_out
from realtime.identity.errors import InvalidTokenError, MissingTokenError
from realtime.models import Identity
from realtime.protocol.close_codes import CloseCode
from tests.app.dialogue import NOTIFICATIONS, socket

pytestmark = pytest.mark.django_db(transaction=True)

User = get_user_model()
CLAIMS = {"sub": "auth0|abc", "iat": 100, "email": "abc@example.com", "email_verified": True}
ANYTHING = [
    ValueError("no such department"),
    KeyError("email"),
    IntegrityError("phone"),
    DataError("too long"),
    TimeoutError("the directory"),
    MissingTokenError(),
    User.DoesNotExist(),
]
OUTAGES = [OperationalError("gone"), InterfaceError("gone")]


class Department:
    """Makes users as a project would, and remembers what it was asked."""

    def __init__(self, error=None, returned=None):
        self.asked, self.error, self.returned = [], error, returned

    def __call__(self, claims):
        self.asked.append(claims)
        assert connection.in_atomic_block
        user = User.objects.create(username=f"employee {User.objects.count()}")
        if self.error:
            raise self.error
        return user if self.returned is None else self.returned


@pytest.fixture
def department(settings):
    settings.REALTIME_USER = Department()
    return settings.REALTIME_USER


def refusal(**changes):
    with pytest.raises(InvalidTokenError) as refused:
        active_user(CLAIMS | changes)
    return refused.value.code, str(refused.value)


NO_ACCOUNT = ("no_account", "No account could be made.")


def test_function_is_asked_once_for_each_subject_with_its_claims(department):
    users = [active_user({"sub": subject, "team": 7}) for subject in ("one", "two", "one")]
    assert [user.username for user in users] == ["employee 0", "employee 1", "employee 0"]
    assert department.asked == [{"sub": "one", "team": 7}, {"sub": "two", "team": 7}]


def test_function_cannot_change_the_claims_that_are_kept_for_the_token(settings):
    settings.REALTIME_USER = lambda given: User.objects.create(username=given["team"].pop())
    claims = CLAIMS | {"team": ["sales"]}
    assert active_user(claims).username == "sales"
    assert claims["team"] == ["sales"]


def test_function_is_found_by_its_path(settings):
    settings.REALTIME_USER = f"{__name__}.employee"
    assert active_user(CLAIMS).username == "by path"


def employee(claims):
    return User.objects.create(username="by path")


@pytest.mark.parametrize("error", ANYTHING, ids=repr)
def test_what_the_function_raises_refuses_the_token_and_leaves_nothing(department, caplog, error):
    department.error = error
    assert refusal() == NO_ACCOUNT
    assert User.objects.count() == Identity.objects.count() == 0
    assert "REALTIME_USER made no account for the subject 'auth0|abc'" in caplog.text
    assert caplog.records[0].exc_info[1] is error


@pytest.mark.parametrize("error", OUTAGES, ids=repr)
def test_outage_of_the_database_stays_one(department, caplog, error):
    department.error = error
    with pytest.raises(type(error)):
        active_user(CLAIMS)
    assert (caplog.text, User.objects.count(), Identity.objects.count()) == ("", 0, 0)


NO_USERS = [False, "alice", 7, AnonymousUser(), User(username="not stored"), User]


@pytest.mark.parametrize("returned", NO_USERS, ids=str)
def test_log_tells_what_was_returned_in_place_of_a_user(department, caplog, returned):
    department.returned = returned
    assert refusal() == NO_ACCOUNT
    assert f"it returned {returned!r}, and no User that is stored." in caplog.text
    assert User.objects.count() == 0


def test_log_tells_of_a_function_that_returns_nothing(settings, caplog):
    settings.REALTIME_USER = lambda claims: None
    assert refusal() == NO_ACCOUNT
    assert "it returned None" in caplog.text


def test_function_that_is_nowhere_is_told_in_the_log(settings, caplog):
    settings.REALTIME_USER = "mysite.users.missing"
    assert refusal() == NO_ACCOUNT
    assert "No module named 'mysite'" in caplog.text


def test_user_that_the_function_returns_disabled_is_refused_and_kept(settings):
    settings.REALTIME_USER = lambda claims: User.objects.create(username="new", is_active=False)
    for _ in range(2):
        assert refusal() == ("user_disabled", "The user is disabled.")
    User.objects.update(is_active=True)
    assert active_user(CLAIMS).username == "new"


# Who was signed out before its first visit, and how.
SIGN_OUTS = {"session": lambda: end_session("first"), "user": lambda: sign_out("auth0|abc", 100)}


@pytest.mark.parametrize("sign_out", SIGN_OUTS.values(), ids=SIGN_OUTS)
def test_function_is_asked_for_no_token_that_was_signed_out_before(department, sign_out):
    sign_out()
    assert refusal(sid="first")[0] == "session_ended"
    assert (department.asked, User.objects.count()) == ([], 0)
    later = CLAIMS | {"sid": "second", "iat": 101}
    assert active_user(later) == User.objects.get()
    assert department.asked == [later]


@pytest.mark.usefixtures("people", "layer")
@pytest.mark.parametrize("layer", ["pubsub"], indirect=True)
@pytest.mark.parametrize(
    ("error", "code", "status", "word"),
    [
        (ValueError("no department"), CloseCode.UNAUTHORIZED, 401, "no_account"),
        (IntegrityError("no department"), CloseCode.UNAUTHORIZED, 401, "no_account"),
        (OperationalError("gone"), CloseCode.UNAVAILABLE, 503, "database_unavailable"),
    ],
    ids=repr,
)
async def test_socket_and_rest_tell_a_refusal_from_an_outage(department, error, code, status, word):
    department.error = error
    token = access_token("alice", sub="a new one")
    async with socket(NOTIFICATIONS, token=token) as client:
        closing = await client.receive()
    answer = await AsyncClient().get("/api/me/", headers={"Authorization": f"Bearer {token}"})
    assert (closing["code"], answer.status_code, answer.json()["error"]) == (code, status, word)
    if code == CloseCode.UNAUTHORIZED:
        assert closing["reason"] == answer.json()["message"] == "No account could be made."
        assert answer.headers["WWW-Authenticate"].startswith('Bearer error="invalid_token"')


def at_once(visit, arguments):
    """Return what each visit returns, or raises as a refusal, in threads that start together."""
    start = threading.Barrier(len(arguments))

    def run(argument):
        start.wait()
        try:
            return visit(argument)
        except InvalidTokenError as error:
            return error.code
        finally:
            connection.close()

    with ThreadPoolExecutor(len(arguments)) as threads:
        return [*threads.map(run, arguments)]


@pytest.fixture(params=["IMMEDIATE", "DEFERRED"])
def transaction_mode(request, monkeypatch):
    """Have new connections begin transactions so, where the database is a SQLite."""
    if connection.vendor == "sqlite":
        options = connections.settings["default"]["OPTIONS"]
        monkeypatch.setitem(options, "transaction_mode", request.param)


@pytest.mark.usefixtures("transaction_mode")
@pytest.mark.parametrize("signed_out_before", [False, True])
def test_first_visits_at_once_ask_once_and_leave_no_orphan(department, signed_out_before):
    if signed_out_before:
        sign_out("auth0|abc", 99)
    visitors = at_once(lambda _: active_user(CLAIMS).pk, range(8))
    assert visitors == [User.objects.get().pk] * 8
    assert (len(department.asked), Identity.objects.count()) == (1, 1)


def test_first_visit_that_fails_lets_the_next_one_try(settings, department):
    errors = [ValueError(), ValueError(), None]

    def fail_twice(claims):
        department.error = errors.pop(0)
        return department(claims)

    settings.REALTIME_USER = fail_twice
    visitors = at_once(lambda _: active_user(CLAIMS).pk, range(4))
    user = User.objects.get()
    assert sorted(visitors, key=str) == [user.pk, user.pk, "no_account", "no_account"]


def test_sign_out_and_first_visit_at_once_lose_neither(department):
    visits = [lambda: active_user(CLAIMS | {"iat": 200}), lambda: sign_out("auth0|abc", 100)]
    at_once(lambda visit: visit(), visits * 4)
    identity = Identity.objects.get()
    assert (identity.user, identity.signed_out_at) == (User.objects.get(), 100)


def test_two_subjects_with_one_email_at_once_are_not_linked_to_one_user(settings):
    settings.REALTIME_USER = link_by_verified_email
    User.objects.create_user("abc", "abc@example.com")
    subjects = [f"subject {number}" for number in range(8)]
    visitors = at_once(lambda subject: active_user(CLAIMS | {"sub": subject}).pk, subjects)
    linked = Identity.objects.get()
    assert visitors.count(linked.user.pk) == 1
    assert visitors.count("no_account") == 7
    assert User.objects.count() == 1
