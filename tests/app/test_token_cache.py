"""A token that was verified a moment ago is not verified again, and never trusted longer."""

import time

import jwt
import pytest

from devrealm.issue import access_token
from realtime.identity import cache as verified
from realtime.identity import keys as keys_module
from realtime.identity import tokens
from realtime.identity.errors import InvalidTokenError
from realtime.identity.issuers import issuer_keys
from realtime.identity.tokens import averify


@pytest.fixture
def decodings(monkeypatch):
    """Return a list that has an entry for each token whose signature was verified."""
    issuer_keys().verified.entries.clear()
    done, decode = [], jwt.decode_complete

    def note(token, *args, **kwargs):
        done.append(token)
        return decode(token, *args, **kwargs)

    monkeypatch.setattr(tokens.jwt, "decode_complete", note)
    return done


async def test_token_is_verified_once_while_its_key_is_fresh(decodings):
    token = access_token("alice")
    assert await averify(token) == await averify(token) == await averify(token)
    assert len(decodings) == 1


async def test_who_changes_the_claims_changes_them_for_nobody_else(decodings):
    token = access_token("alice")
    for _ in range(2):
        (await averify(token))["sub"] = "mallory"
    assert (await averify(token))["sub"] != "mallory"


async def test_expiry_is_judged_each_time(decodings, monkeypatch):
    token = access_token("alice", exp=int(time.time()) + 60)
    await averify(token)
    later = time.time() + 60 + tokens.LEEWAY
    monkeypatch.setattr(verified.time, "time", lambda: later)
    assert issuer_keys().find_verified(token, tokens.LEEWAY) is None


async def test_new_set_of_keys_verifies_anew(decodings):
    token = access_token("alice")
    await averify(token)
    issuer_keys().fetched_at = -float("inf")  # grown old
    issuer_keys().tried_at = -float("inf")
    await averify(token)
    assert len(decodings) == 2


async def test_key_that_was_withdrawn_vouches_for_nothing_any_more(decodings, monkeypatch):
    token = access_token("alice")
    await averify(token)
    monkeypatch.setattr(issuer_keys(), "keys", {})
    assert issuer_keys().find_verified(token, tokens.LEEWAY) is None


async def test_set_that_has_grown_old_answers_nothing(decodings, monkeypatch):
    token = access_token("alice")
    await averify(token)
    monkeypatch.setattr(keys_module, "LIFESPAN", 0)
    assert issuer_keys().find_verified(token, tokens.LEEWAY) is None


async def test_bad_token_is_never_kept(decodings):
    for token in (access_token("alice", aud="other"), access_token("alice", typ="ID")):
        for _ in range(2):
            with pytest.raises(InvalidTokenError):
                await averify(token)
    assert len(decodings) == 4


async def test_least_used_token_makes_room(decodings, monkeypatch):
    monkeypatch.setattr(verified, "MOST", 2)
    first, second, third = (access_token("alice", sid=sid) for sid in "abc")
    for token in (first, second, first, third, first):
        await averify(token)
    assert len(decodings) == 3
    await averify(second)
    assert len(decodings) == 4
    assert len(issuer_keys().verified.entries) == 2


async def test_no_token_lies_around(decodings):
    token = access_token("alice")
    await averify(token)
    assert token not in repr(issuer_keys().verified.entries)
