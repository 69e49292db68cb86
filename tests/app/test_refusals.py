"""A refused token is logged once, with its fault and its key id, wherever it came."""

import logging

import jwt
import pytest
from asgiref.sync import sync_to_async
from django.test import AsyncClient

from devrealm.issue import access_token
from devrealm.keys import key_id
from devrealm.zoo import ZOO, encoded, signed_by_stranger
from realtime.authority.users import end_session
from realtime.identity.errors import InvalidTokenError
from realtime.identity.refusals import log_refusal
from tests.app.dialogue import NOTIFICATIONS, established, socket
from tests.app.issuer import use_keys_of
from tests.app.test_tokens import logout_token

pytestmark = [
    pytest.mark.usefixtures("people", "layer"),
    pytest.mark.parametrize("layer", ["pubsub"], indirect=True),
]


@pytest.fixture
def log(caplog):
    """Return a function that returns what was logged about refusals."""
    caplog.set_level(logging.INFO, "realtime.identity.refusals")
    return lambda: [each.message for each in caplog.records if "refusals" in each.name]


async def open_socket(token):
    async with socket(NOTIFICATIONS, token=token) as client:
        await client.receive()


async def refresh(token):
    async with established(NOTIFICATIONS, "alice") as alice:
        await alice.send({"type": "token.refresh", "token": token})
        await alice.receive()


async def get(token):
    await AsyncClient().get("/api/me/", headers={"Authorization": f"Bearer {token}"})


async def log_out(token):
    await AsyncClient().post("/api/backchannel-logout/", {"logout_token": token})


@pytest.mark.parametrize("bring", [open_socket, refresh, get, log_out])
async def test_token_is_refused_in_one_line_without_the_token(log, bring):
    token = signed_by_stranger("forged")
    await bring(token)
    reason = "The token is signed with an unknown key."
    assert log() == [f"Token refused (unknown_key, key id 'forged'): {reason}"]


@pytest.mark.parametrize("bring", [open_socket, refresh, get])
async def test_token_of_a_session_that_was_signed_out_is_told_its_key(log, bring):
    await sync_to_async(end_session)("over")
    await bring(access_token("alice", sid="over"))
    expected = f"Token refused (session_ended, key id '{key_id()}'): The session was signed out."
    assert log() == [expected]


async def test_new_token_of_another_user_is_refused_by_name(log):
    await refresh(access_token("bob"))
    expected = f"Token refused (wrong_user, key id '{key_id()}'): The token is another user's."
    assert log() == [expected]


async def test_client_without_a_token_and_keys_out_of_reach_are_logged_too(log, settings):
    await open_socket(None)
    use_keys_of(settings, KEYS_URL="http://127.0.0.1:9/certs")
    await open_socket(access_token("alice"))
    assert [line.partition(")")[0] for line in log()] == [
        "Token refused (token_missing, key id None",
        f"Token refused (keys_unavailable, key id '{key_id()}'",
    ]


async def test_token_that_is_let_in_and_a_logout_are_not_logged(log):
    await open_socket(access_token("alice"))
    await get(access_token("alice"))
    await log_out(logout_token())
    assert log() == []


KEY_IDS = {
    "usual": (jwt.encode({}, "x" * 32, headers={"kid": "a\nb"}), "'a\\nb'"),
    "long": (jwt.encode({}, "x" * 32, headers={"kid": "x" * 5_000}), "'" + "x" * 99),
    "none": (jwt.encode({}, "x" * 32), "None"),
    "a number": (encoded(b'{"kid": 7}') + "..", "None"),
    "no header": ("garbage", "None"),
    "half a character": ("\ud800", "None"),
    "oversized": (ZOO["oversized"](), "None"),
}


@pytest.mark.parametrize(("token", "shown"), KEY_IDS.values(), ids=KEY_IDS)
def test_key_id_is_shown_as_it_is_and_never_longer_than_a_line(log, token, shown):
    log_refusal(InvalidTokenError("bad", "The token is bad."), token)
    assert log() == [f"Token refused (bad, key id {shown}): The token is bad."]
