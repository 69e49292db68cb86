"""One answer to a request's token, from plain views, Django REST framework and Django Ninja."""

import logging
import re

import pytest
from django.db import InterfaceError, OperationalError
from django.test import AsyncClient, Client

from demo.people import settle
from devrealm.accounts import PEOPLE
from devrealm.issue import access_token
from devrealm.zoo import ZOO, signed_by_stranger
from realtime import rest
from realtime.authority import bearer
from realtime.authority.access import WORDS
from realtime.authority.users import end_session
from realtime.identity.errors import FAULTS
from realtime.models import Identity
from tests.app.issuer import use_keys_of
from tests.app.rest_site import EVERYWHERE, LIBRARIES, PLAIN

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.urls("tests.app.rest_site"),
]

everywhere = pytest.mark.parametrize("path", EVERYWHERE.values(), ids=EVERYWHERE)
in_libraries = pytest.mark.parametrize("path", LIBRARIES.values(), ids=LIBRARIES)

ALICE = {"email": "alice@example.com", "subject": PEOPLE["alice"].subject}

# RFC 6750, 3: what an error_description may consist of.
DESCRIPTION = re.compile(r"[\x20-\x21\x23-\x5b\x5d-\x7e]+")


@pytest.fixture(autouse=True)
def people():
    settle()


def get(path, token=None):
    return Client(headers=carrying(token), enforce_csrf_checks=True).get(path)


def carrying(token):
    return {"Authorization": f"Bearer {token}"} if token else {}


@everywhere
def test_good_token_gives_the_user_and_the_claims(path):
    assert get(path, access_token("alice")).json() == ALICE


@everywhere
async def test_good_token_is_good_under_asgi(path):
    answer = await AsyncClient().get(path, headers=carrying(access_token("alice")))
    assert answer.json() == ALICE


@everywhere
def test_scheme_and_spaces_are_read_alike(path):
    headers = {"Authorization": f"bearer  {access_token('alice')} "}
    assert Client(headers=headers).get(path).json() == ALICE


@everywhere
@pytest.mark.parametrize("headers", [{}, {"Authorization": "Basic YWxpY2U6c2VjcmV0"}])
def test_request_without_a_token_is_told_the_scheme_alone(path, headers):
    answer = Client(headers=headers).get(path)
    assert (answer.status_code, answer["WWW-Authenticate"]) == (401, "Bearer")


@everywhere
@pytest.mark.parametrize(
    ("token", "word"), [("expired", "token_expired"), ("wrong audience", "wrong_audience")]
)
def test_bad_token_is_told_its_fault(path, token, word):
    assert_refused(get(path, ZOO[token]()), word)


@everywhere
def test_disabled_user_is_refused(path):
    user = Identity.objects.get(subject=PEOPLE["alice"].subject).user
    user.is_active = False
    user.save()
    assert_refused(get(path, access_token("alice")), "user_disabled")


@everywhere
def test_session_that_was_signed_out_is_refused(path):
    end_session("over")
    assert_refused(get(path, access_token("alice", sid="over")), "session_ended")


def assert_refused(answer, word):
    assert (answer.status_code, answer.json()["error"]) == (401, word)
    reason = answer.json()["message"]
    expected = f'Bearer error="invalid_token", error_description="{reason}"'
    assert answer["WWW-Authenticate"] == expected


@everywhere
def test_refused_token_is_logged_once_and_never_shown(path, caplog):
    caplog.set_level(logging.INFO, "realtime.identity.refusals")
    get(path, signed_by_stranger("forged"))
    (line,) = [each.message for each in caplog.records if "refusals" in each.name]
    reason = "The token is signed with an unknown key."
    assert line == f"Token refused (unknown_key, key id 'forged'): {reason}"


@in_libraries
def test_refused_token_has_the_answer_of_a_plain_view(path):
    token = access_token("alice", lifespan=-60)
    answer, same = get(path, token), get(PLAIN, token)
    assert answer.json() == same.json()
    assert answer["Content-Type"] == same["Content-Type"]


def test_every_reason_can_be_a_description():
    reasons = [reason for *_, reason in FAULTS] + [refusal.reason for refusal in WORDS]
    assert all(map(DESCRIPTION.fullmatch, reasons))


@everywhere
def test_keys_out_of_reach_are_503_and_not_401(path, settings):
    use_keys_of(settings, KEYS_URL="http://127.0.0.1:9/certs")
    assert_unavailable(get(path, access_token("alice")), "keys_unavailable")


@everywhere
@pytest.mark.parametrize("error", [OperationalError("gone"), InterfaceError("closed")])
def test_database_out_of_reach_is_503(path, error, monkeypatch, caplog):
    def fail(claims):
        raise error

    monkeypatch.setattr(bearer, "active_user", fail)
    monkeypatch.setattr(rest, "active_user", fail)
    assert_unavailable(get(path, access_token("alice")), "database_unavailable")
    assert "Request failed: database unavailable" in caplog.text


def assert_unavailable(answer, word):
    assert (answer.status_code, answer.json()["error"]) == (503, word)
    assert answer["Content-Type"] == "application/json"
    assert int(answer["Retry-After"]) > 0
    assert "WWW-Authenticate" not in answer


@everywhere
def test_requests_of_a_user_are_counted_in_all(path, settings):
    settings.REALTIME_REQUEST_BURST = len(EVERYWHERE)
    for each in EVERYWHERE.values():
        assert get(each, access_token("alice")).status_code == 200
    answer = get(path, access_token("alice"))
    assert (answer.status_code, answer.json()["error"]) == (429, "rate_limited")
    assert int(answer["Retry-After"]) > 0
    assert get(path, access_token("bob")).status_code == 200
