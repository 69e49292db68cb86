import io
import json
from datetime import UTC, datetime

import pytest
from asgiref.sync import async_to_sync
from hypothesis import given, settings
from hypothesis import strategies as st

from api.views import claimed_organizations
from devrealm.accounts import PEOPLE
from devrealm.issue import access_token, sign
from devrealm.zoo import FUTURE, PAST, ZOO, claims, encoded, signed_by_stranger, with_claims
from realtime.identity import errors, tokens
from tests.app.issuer import use_keys_of

ALICE = PEOPLE["alice"]

# The word for each token of the zoo; None for the one that is let in.
VERDICTS = {
    "valid": None,
    "expired": "token_expired",
    "issued in the future": "token_early",
    "not valid yet": "token_early",
    "valid for ever": "bad_expiry",
    "wrong issuer": "wrong_issuer",
    "issuer with a slash": "wrong_issuer",
    "wrong audience": "wrong_audience",
    "azp instead of aud": "wrong_audience",
    "without exp": "claim_missing",
    "without iat": "claim_missing",
    "without iss": "claim_missing",
    "without aud": "claim_missing",
    "without sub": "claim_missing",
    "without typ": "wrong_type",
    "bound to a key": "token_bound",
    "ID token": "wrong_type",
    "refresh token": "wrong_type",
    "logout token": "wrong_type",
    "subject empty": "bad_subject",
    "subject too long": "bad_subject",
    "subject unprintable": "bad_subject",
    "subject half a character": "bad_subject",
    "alg none": "wrong_algorithm",
    "HS256 by the public key": "wrong_algorithm",
    "signed by another key": "wrong_signature",
    "unknown key id": "unknown_key",
    "no key id": "unknown_key",
    "tampered": "wrong_signature",
    "without a signature": "wrong_signature",
    "truncated": "token_malformed",
    "oversized": "token_too_long",
    "garbage": "token_malformed",
    "not ASCII": "token_malformed",
    "empty": "token_missing",
}
BAD_TOKENS = {name: code for name, code in VERDICTS.items() if code}

verify_logout = async_to_sync(tokens.averify_logout)


def test_every_token_of_the_zoo_has_a_verdict():
    assert set(VERDICTS) == set(ZOO)
    assert set(VERDICTS) - set(BAD_TOKENS) == {"valid"}


@pytest.mark.parametrize(("name", "code"), BAD_TOKENS.items(), ids=BAD_TOKENS)
def test_bad_token_is_refused_for_its_fault(name, code):
    token = ZOO[name]()
    with pytest.raises(errors.TokenError) as refusal:
        tokens.verify(token)
    assert refusal.value.code == code
    assert isinstance(refusal.value, errors.MissingTokenError) == (not token)
    assert isinstance(refusal.value, errors.InvalidTokenError) == bool(token)
    reason = str(refusal.value)
    assert reason.startswith(("The token ", "The token's ", "There is no "))
    assert not any(part and part in reason for part in token.split(".") if len(part) > 8)


def test_good_token_gives_its_claims():
    verified = tokens.verify(ZOO["valid"]())
    assert (verified["sub"], verified["preferred_username"]) == (ALICE.subject, "alice")


def test_clocks_may_differ_by_ten_seconds():
    assert tokens.verify(access_token("alice", lifespan=-7))
    with pytest.raises(errors.InvalidTokenError):
        tokens.verify(access_token("alice", lifespan=-13))


def test_reason_does_not_repeat_what_the_token_says():
    with pytest.raises(errors.InvalidTokenError) as refusal:
        tokens.verify(signed_by_stranger("private-name"))
    assert "private-name" not in str(refusal.value)


def json_part(value) -> str:
    return encoded(json.dumps(value).encode())


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
    with pytest.raises(errors.InvalidTokenError) as refusal:
        tokens.verify(f"{encoded(header.encode())}.{json_part(claims())}.c2ln")
    assert refusal.value.code == "token_malformed"


@pytest.mark.parametrize("claim", [*tokens.REQUIRED_CLAIMS, "aud", "sub"])
def test_claim_that_is_missing_is_named(claim):
    with pytest.raises(errors.InvalidTokenError) as refusal:
        tokens.verify(with_claims(**{claim: None}))
    assert str(refusal.value) == f"The token lacks the claim `{claim}`."


@pytest.mark.parametrize("typ", ["Bearer", "DPoP"])
def test_token_that_is_bound_to_a_key_is_told_so_whatever_its_type(typ):
    """Whoever stole it could use it here, where nobody asks for the key (RFC 7800, RFC 9449)."""
    with pytest.raises(errors.InvalidTokenError) as refusal:
        tokens.verify(with_claims(typ=typ, cnf={"jkt": "a thumbprint"}))
    assert refusal.value.code == "token_bound"
    assert str(refusal.value) == "The token is bound to a key, which is not checked here."


def test_longest_subject_is_let_in():
    assert tokens.verify(with_claims(sub="x" * 255))


def test_no_token_is_missing_and_not_invalid():
    with pytest.raises(errors.MissingTokenError):
        tokens.verify("")


def test_keys_out_of_reach_say_nothing_of_the_token(settings):
    use_keys_of(settings, KEYS_URL="http://127.0.0.1:9/certs")  # discard: nobody listens
    with pytest.raises(errors.KeysUnavailableError) as failure:
        tokens.verify(access_token("alice"))
    assert not isinstance(failure.value, errors.InvalidTokenError)


def test_keys_are_looked_for_where_keycloak_publishes_them(settings):
    use_keys_of(settings, ISSUER="https://id.example.com/realms/main/")
    where = "https://id.example.com/realms/main/protocol/openid-connect/certs"
    assert tokens.issuer_keys().client.uri == where
    use_keys_of(settings, KEYS_URL="http://keycloak.internal/certs")
    assert tokens.issuer_keys().client.uri == "http://keycloak.internal/certs"


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
    use_keys_of(settings)
    answered = lambda *args, **kwargs: io.BytesIO(answer)  # noqa: E731
    monkeypatch.setattr("urllib.request.OpenerDirector.open", answered)
    with pytest.raises(errors.KeysUnavailableError):
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
        verified = tokens.verify(sign(claims() | changes))
    except errors.TokenError:
        return
    assert datetime.fromtimestamp(verified["exp"], UTC)
    assert verified["sub"].encode()


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(st.sampled_from(["alg", "kid", "typ", "crit", "b64"]), weird), weird)
def test_no_header_can_do_worse_than_be_refused(header, payload):
    for alg in ({}, {"alg": "RS256"}):
        with pytest.raises(errors.TokenError):
            tokens.verify(f"{json_part(header | alg)}.{json_part(payload)}.c2ln")


@given(st.text(max_size=60))
def test_no_text_can_do_worse_than_be_refused(text):
    with pytest.raises(errors.TokenError):
        tokens.verify(text)


LOGOUT = "http://schemas.openid.net/event/backchannel-logout"


def logout_token(**changes):
    """Return a logout token with the claims that Keycloak 26.7 writes, some of them changed."""
    usual = {
        "iss": "http://localhost:8000/realms/demo",
        "aud": "web",
        "sub": ALICE.subject,
        "sid": "OtnfC-3CGEFpN1-L_2LH5Xdw",
        "typ": "Logout",
        "events": {LOGOUT: {}},
        "iat": PAST,
        "exp": FUTURE,
        "jti": "one",
    } | changes
    return sign({name: value for name, value in usual.items() if value is not None})


def test_logout_token_says_whose_sessions_end_and_since_when():
    session = "OtnfC-3CGEFpN1-L_2LH5Xdw"
    of_session = verify_logout(logout_token(sub=None, exp=None))
    assert of_session == tokens.Logout(None, session, PAST, ends_offline=False)
    of_subject = verify_logout(logout_token(sid=None, iat=PAST + 0.9))
    assert of_subject == tokens.Logout(ALICE.subject, None, PAST, ends_offline=False)
    assert verify_logout(logout_token()) == (ALICE.subject, session, PAST, False)


@pytest.mark.parametrize("sid", ["", "a\x00b", "x" * 256, ["s"]], ids=repr)
def test_session_that_is_no_name_counts_as_none_in_a_logout_token_too(sid):
    assert verify_logout(logout_token(sid=sid)).session is None


@pytest.mark.parametrize(("value", "ends"), [(True, True), (False, False), ("true", False)])
def test_logout_token_of_keycloak_may_end_offline_access_too(value, ends):
    events = {LOGOUT: {}, "revoke_offline_access": value}
    assert verify_logout(logout_token(events=events)).ends_offline is ends


def test_logout_before_the_epoch_is_at_the_epoch():
    """No database would keep the number."""
    assert verify_logout(logout_token(iat=-(10**30))).issued_at == 0


SCOPES = {"openid offline_access": True, "offline_access_not": False, None: False, 7: False}


@pytest.mark.parametrize(("scope", "offline"), SCOPES.items())
def test_offline_access_is_a_word_of_the_scope(scope, offline):
    assert tokens.is_offline({"scope": scope}) is offline


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"aud": "reference-app"}, "wrong_audience"),
        ({"iss": "https://evil.example"}, "wrong_issuer"),
        ({"exp": PAST}, "token_expired"),
        ({"events": None}, "wrong_type"),
        ({"events": {}}, "wrong_type"),
        ({"events": LOGOUT}, "wrong_type"),
        ({"nonce": "n"}, "wrong_type"),
        ({"sid": None, "sub": None}, "claim_missing"),
        ({"sid": None, "sub": ""}, "claim_missing"),
        ({"sid": ["s"], "sub": "a\x00b"}, "claim_missing"),
        ({"sid": None, "sub": 7}, "token_malformed"),
        ({"iat": None}, "claim_missing"),
    ],
    ids=str,
)
def test_logout_token_that_is_not_one_is_refused(changes, code):
    with pytest.raises(errors.InvalidTokenError) as refusal:
        verify_logout(logout_token(**changes))
    assert refusal.value.code == code


def test_logout_token_that_names_nobody_is_told_so():
    with pytest.raises(errors.InvalidTokenError) as refusal:
        verify_logout(logout_token(sid=None, sub=None))
    reason = "The token names neither a session (`sid`) nor a user (`sub`)."
    assert str(refusal.value) == reason


def test_access_token_ends_no_session_and_a_logout_token_opens_no_socket():
    with pytest.raises(errors.InvalidTokenError):
        verify_logout(access_token("alice", aud="web"))
    with pytest.raises(errors.InvalidTokenError):
        tokens.verify(logout_token(aud="reference-app"))


@pytest.mark.parametrize(
    ("claim", "aliases"),
    [
        (None, []),
        ("acme", ["acme"]),
        (["zebra", "acme"], ["acme", "zebra"]),
        ({"acme": {}, "zebra": {"id": "1"}}, ["acme", "zebra"]),
        (7, []),
        ([7, None, "acme"], ["acme"]),
    ],
    ids=str,
)
def test_organization_claim_is_understood_in_every_shape(claim, aliases):
    assert claimed_organizations({"organization": claim}) == aliases


@pytest.mark.parametrize(
    ("length", "code"), [(16_384, "token_malformed"), (16_385, "token_too_long")]
)
def test_longest_token_is_judged_and_a_longer_one_is_not(length, code):
    with pytest.raises(errors.InvalidTokenError) as refusal:
        tokens.verify("x" * length)
    assert refusal.value.code == code
