import base64
import io
import json
from datetime import UTC, datetime

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import given, settings
from hypothesis import strategies as st

from api import tokens
from devrealm.issue import access_claims, access_token, sign
from devrealm.keys import key_id, signing_key
from devrealm.people import PEOPLE

ALICE = PEOPLE["alice"]
NOW, LATER = 1_700_000_000, 4_102_444_800


def claims(**changes):
    usual = access_claims(ALICE) | {"iat": NOW, "exp": LATER} | changes
    return {name: value for name, value in usual.items() if value is not None}


def public_pem():
    public = signing_key().public_key()
    return public.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def encoded(value) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def hmac_with_public_key() -> str:
    """The classic confusion: the public key as an HMAC secret. PyJWT refuses to sign it itself."""
    import hashlib
    import hmac

    signed = f"{encoded({'alg': 'HS256', 'kid': key_id()})}.{encoded(claims())}"
    mac = hmac.new(public_pem(), signed.encode(), hashlib.sha256).digest()
    return f"{signed}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"


def foreign(kid) -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return jwt.encode(claims(), key, algorithm="RS256", headers={"kid": kid} if kid else None)


BAD_TOKENS = {
    "expired": (lambda: access_token("alice", lifespan=-60), "token_expired"),
    "issued in the future": (lambda: sign(claims(iat=LATER)), "token_early"),
    "not valid yet": (lambda: sign(claims(nbf=LATER)), "token_early"),
    "of another issuer": (lambda: sign(claims(iss="https://evil.example")), "wrong_issuer"),
    "of the issuer with a slash": (
        lambda: sign(claims(iss="http://localhost:8000/realms/demo/")),
        "wrong_issuer",
    ),
    "for another audience": (lambda: sign(claims(aud=["account"])), "wrong_audience"),
    "with azp instead of aud": (
        lambda: sign(claims(aud=["account"], azp="reference-app")),
        "wrong_audience",
    ),
    "without exp": (lambda: sign(claims(exp=None)), "claim_missing"),
    "without iat": (lambda: sign(claims(iat=None)), "claim_missing"),
    "without iss": (lambda: sign(claims(iss=None)), "claim_missing"),
    "without aud": (lambda: sign(claims(aud=None)), "claim_missing"),
    "without sub": (lambda: sign(claims(sub=None)), "claim_missing"),
    "unsigned": (lambda: jwt.encode(claims(), None, algorithm="none"), "wrong_algorithm"),
    "HS256 by the public key": (hmac_with_public_key, "wrong_algorithm"),
    "of another key": (lambda: foreign(key_id()), "wrong_signature"),
    "of an unknown key": (lambda: foreign("unknown"), "unknown_key"),
    "of a key without a name": (lambda: foreign(None), "unknown_key"),
    "an ID token": (lambda: sign(claims(typ="ID")), "wrong_type"),
    "a refresh token": (lambda: sign(claims(typ="Refresh")), "wrong_type"),
    "of an empty subject": (lambda: sign(claims(sub="")), "bad_subject"),
    "of a long subject": (lambda: sign(claims(sub="x" * 256)), "bad_subject"),
    "of an unprintable subject": (lambda: sign(claims(sub="a\x00b")), "bad_subject"),
    "of half a character": (lambda: sign(claims(sub="\ud800")), "bad_subject"),
    "valid for ever": (lambda: sign(claims(exp=10**18)), "bad_expiry"),
    "truncated": (lambda: access_token("alice")[:-400], "token_malformed"),
    "tampered": (lambda: access_token("alice")[:-6] + "AAAAAA", "wrong_signature"),
    "garbage": (lambda: "garbage", "token_malformed"),
    "not ASCII": (lambda: "é.é.é", "token_malformed"),
}


@pytest.mark.parametrize(("make", "code"), BAD_TOKENS.values(), ids=BAD_TOKENS)
def test_bad_token_is_refused_for_its_fault(make, code):
    token = make()
    with pytest.raises(tokens.InvalidTokenError) as refusal:
        tokens.verify(token)
    assert refusal.value.code == code
    reason = str(refusal.value)
    assert reason.startswith("The token ") or reason.startswith("The token's ")
    assert not any(part and part in reason for part in token.split(".") if len(part) > 8)


def test_good_token_gives_its_claims():
    verified = tokens.verify(access_token("alice"))
    assert (verified["sub"], verified["preferred_username"]) == (ALICE.subject, "alice")


def test_clocks_may_differ_by_ten_seconds():
    assert tokens.verify(access_token("alice", lifespan=-7))
    with pytest.raises(tokens.InvalidTokenError):
        tokens.verify(access_token("alice", lifespan=-13))


def test_reason_does_not_repeat_what_the_token_says():
    with pytest.raises(tokens.InvalidTokenError) as refusal:
        tokens.verify(foreign("private-name"))
    assert "private-name" not in str(refusal.value)


HEADERS = {
    "list": "[]",
    "number": "7",
    "null": "null",
    "deep": "[" * 11_000,
    "kid is a number": '{"alg": "RS256", "kid": 7}',
    "kid is a list": '{"alg": "RS256", "kid": ["x"]}',
    "kid has 5,000 digits": '{"alg": "RS256", "kid": %s}' % ("9" * 5000),
}


@pytest.mark.parametrize("header", HEADERS.values(), ids=HEADERS)
def test_header_of_another_shape_is_malformed(header):
    header = base64.urlsafe_b64encode(header.encode()).rstrip(b"=").decode()
    with pytest.raises(tokens.InvalidTokenError) as refusal:
        tokens.verify(f"{header}.{encoded(claims())}.c2ln")
    assert refusal.value.code == "token_malformed"


def test_longest_subject_is_let_in():
    assert tokens.verify(sign(claims(sub="x" * 255)))


def test_no_token_is_missing_and_not_invalid():
    with pytest.raises(tokens.MissingTokenError):
        tokens.verify("")


def test_keys_out_of_reach_say_nothing_of_the_token(settings):
    settings.KEYCLOAK_KEY_CLIENT = "jwt.PyJWKClient"
    settings.KEYCLOAK_JWKS_URL = "http://127.0.0.1:9/certs"  # discard: nobody listens
    with pytest.raises(tokens.KeysUnavailableError) as failure:
        tokens.verify(access_token("alice"))
    assert not isinstance(failure.value, tokens.InvalidTokenError)


def test_keys_are_looked_for_where_keycloak_publishes_them(settings):
    settings.KEYCLOAK_KEY_CLIENT = "jwt.PyJWKClient"
    settings.KEYCLOAK_ISSUER = "https://id.example.com/realms/main/"
    where = "https://id.example.com/realms/main/protocol/openid-connect/certs"
    assert tokens.issuer_keys().client.uri == where
    settings.KEYCLOAK_JWKS_URL = "http://keycloak.internal/certs"
    assert tokens.issuer_keys().client.uri == "http://keycloak.internal/certs"


def test_key_fetch_gives_up_before_daphne_drops_the_handshake():
    assert tokens.FETCH_TIMEOUT < tokens.FETCH_PATIENCE < 5


# What a proxy in front of Keycloak, or a wrong KEYCLOAK_ISSUER, may answer with 200.
NO_KEYS = {
    "a page": b"<html>Back soon</html>",
    "nothing": b"",
    "not UTF-8": b"\xff\xfe\xfa",
    "an error": b'{"error": "Realm does not exist"}',
    "a list": b"[]",
    "no key": b'{"keys": []}',
}


@pytest.mark.parametrize("answer", NO_KEYS.values(), ids=NO_KEYS)
def test_answer_without_keys_says_nothing_of_the_token(settings, monkeypatch, answer):
    settings.KEYCLOAK_KEY_CLIENT = "jwt.PyJWKClient"
    answered = lambda *args, **kwargs: io.BytesIO(answer)  # noqa: E731
    monkeypatch.setattr("urllib.request.OpenerDirector.open", answered)
    with pytest.raises(tokens.KeysUnavailableError):
        tokens.verify(access_token("alice"))


weird = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
    | st.lists(st.integers(), max_size=2) | st.dictionaries(st.text(max_size=3), st.none())
    | st.sampled_from([10**400, -(10**400), 1e308, "soon", 253402300800, "4102444800"])
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(st.sampled_from(["exp", "iat", "nbf", "sub", "aud", "typ"]), weird))
def test_no_claim_can_do_worse_than_be_refused(changes):
    try:
        verified = tokens.verify(sign(access_claims(ALICE) | {"iat": NOW, "exp": LATER} | changes))
    except tokens.TokenError:
        return
    assert datetime.fromtimestamp(verified["exp"], UTC)
    assert verified["sub"].encode()


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(st.sampled_from(["alg", "kid", "typ", "crit", "b64"]), weird), weird)
def test_no_header_can_do_worse_than_be_refused(header, payload):
    for alg in ({}, {"alg": "RS256"}):
        with pytest.raises(tokens.TokenError):
            tokens.verify(f"{encoded(header | alg)}.{encoded(payload)}.c2ln")


@given(st.text(max_size=60))
def test_no_text_can_do_worse_than_be_refused(text):
    with pytest.raises(tokens.TokenError):
        tokens.verify(text)
