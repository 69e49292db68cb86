"""Tokens of each kind of issuer: let in with its profile, refused for the right fault without."""

import jwt
import pytest
from asgiref.sync import async_to_sync
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from devrealm.zoo import PAST
from realtime.authority.token_users import email_in
from realtime.identity import errors, tokens
from realtime.identity.algorithms import ALGORITHMS
from realtime.identity.profiles import PROFILES
from tests.app.issuer_profiles import JWK, KEY, KINDS, Keys, Kind, settings_of, token_of

each_profile = pytest.mark.parametrize("profile", KINDS)
verify_logout = async_to_sync(tokens.averify_logout)


@pytest.fixture
def trust(settings):
    def trust(kind: Kind, **changes) -> None:
        settings.REALTIME_ISSUER = settings_of(kind, **changes)

    return trust


def verdict(token: str) -> str | None:
    """Return the word for a token's fault, None where it is let in."""
    try:
        tokens.verify(token)
    except errors.TokenError as error:
        return error.code
    return None


def test_every_profile_has_an_example():
    assert list(KINDS) == list(PROFILES)


@each_profile
def test_access_token_is_let_in_and_read_by_standard_names(trust, profile):
    kind = KINDS[profile]
    trust(kind, PROFILE=profile)
    claims = tokens.verify(token_of(kind, kind.access))
    assert (claims["sub"], tokens.session_of(claims)) == (kind.subject, kind.session)
    # What only the issuer knows stays under its own name.
    assert set(kind.access) - {"aud"} <= set(claims)


@each_profile
def test_other_token_is_refused_although_issuer_and_audience_fit(trust, profile):
    kind = KINDS[profile]
    trust(kind, PROFILE=profile)
    assert verdict(token_of(kind, kind.other)) == "wrong_type"


@pytest.mark.parametrize("profile", [name for name in KINDS if name != "keycloak"])
def test_access_token_is_refused_by_the_profile_of_keycloak(trust, profile):
    kind = KINDS[profile]
    trust(kind)
    assert verdict(token_of(kind, kind.access)) == kind.without


@pytest.mark.parametrize("profile", [name for name in KINDS if KINDS[name].alone])
def test_client_that_acts_for_itself_is_let_in(trust, profile):
    kind = KINDS[profile]
    trust(kind, PROFILE=profile)
    assert tokens.verify(token_of(kind, kind.alone))["sub"] == kind.alone["sub"]


@pytest.mark.parametrize("typ", ["at+jwt", "application/at+jwt", "application/AT+JWT"])
def test_type_in_the_header_is_a_media_type(trust, typ):
    """RFC 9068, 4, names the first two; its own example has capitals."""
    kind = KINDS["rfc9068"]._replace(header={"typ": typ})
    trust(kind, PROFILE="rfc9068")
    assert verdict(token_of(kind, kind.access)) is None


@pytest.mark.parametrize("typ", ["JWT", "logout+jwt", "at+jwt+more", "", None, 7, ["at+jwt"]])
def test_other_type_in_the_header_is_refused(trust, typ):
    kind = KINDS["rfc9068"]._replace(header={"typ": typ})
    trust(kind, PROFILE="rfc9068")
    assert verdict(token_of(kind, kind.access)) == "wrong_type"


@pytest.mark.parametrize("profile", ["auth0", "okta", "entra"])
@pytest.mark.parametrize("claim", ["nonce", "at_hash", "c_hash"])
def test_token_with_a_claim_of_id_tokens_is_refused_where_no_type_tells_them_apart(
    trust, profile, claim
):
    kind = KINDS[profile]
    trust(kind, PROFILE=profile)
    assert verdict(token_of(kind, kind.access | {claim: "x"})) == "wrong_type"


def test_okta_user_is_known_by_an_id_and_not_by_a_login_name(trust):
    """A login name may be given to somebody else."""
    kind = KINDS["okta"]
    trust(kind, PROFILE="okta")
    renamed = token_of(kind, kind.access | {"sub": "jane.doe@example.com"})
    assert tokens.verify(renamed)["sub"] == kind.access["uid"]


@pytest.mark.parametrize(
    ("user_id", "subject", "code"),
    [
        (7, "7", None),
        ("7", "7", None),
        ("0d5c3f0e-5d09-4b0f-8f3c-6f3d9d6a9c11", "0d5c3f0e-5d09-4b0f-8f3c-6f3d9d6a9c11", None),
        (10**300, None, "bad_subject"),
        (True, None, "bad_subject"),
        (7.0, None, "bad_subject"),
        ("", None, "bad_subject"),
        ([7], None, "bad_subject"),
        (None, None, "claim_missing"),
    ],
    ids=repr,
)
def test_whole_number_names_a_user_and_nothing_else_but_text(trust, user_id, subject, code):
    kind = KINDS["simplejwt"]
    trust(kind, PROFILE="simplejwt")
    token = token_of(kind, kind.access | {"user_id": user_id})
    assert verdict(token) == code
    assert code or tokens.verify(token)["sub"] == subject


def test_missing_claim_is_named_as_the_issuer_names_it(trust):
    for profile, missing, named in [
        ("simplejwt", "user_id", "`user_id`"),
        ("cognito", "client_id", "`client_id`"),
        ("auth0", "aud", "`aud`"),
    ]:
        kind = KINDS[profile]
        trust(kind, PROFILE=profile)
        with pytest.raises(errors.InvalidTokenError) as refusal:
            tokens.verify(token_of(kind, kind.access | {missing: None}))
        assert str(refusal.value) == f"The token lacks the claim {named}."
    kind = KINDS["okta"]
    trust(kind, PROFILE="okta")
    with pytest.raises(errors.InvalidTokenError, match="lacks the claim `uid` or `sub`"):
        tokens.verify(token_of(kind, kind.access | {"uid": None, "sub": None}))


@pytest.mark.parametrize("client", ["another", ["xxxxxxxxxxxxexample"], "", 7])
def test_cognito_token_of_another_client_is_refused(trust, client):
    kind = KINDS["cognito"]
    trust(kind, PROFILE="cognito")
    assert verdict(token_of(kind, kind.access | {"client_id": client})) == "wrong_audience"


def test_project_may_set_each_answer_of_a_profile(trust):
    kind = KINDS["entra"]
    trust(kind, PROFILE="entra", SUBJECT_CLAIMS=["oid"], SESSION_CLAIM="uti")
    claims = tokens.verify(token_of(kind, kind.access))
    assert (claims["sub"], claims["sid"]) == (kind.access["oid"], kind.access["uti"])
    trust(kind, PROFILE="entra", TOKEN_TYPE_CLAIM="idtyp", TOKEN_TYPE="user")
    assert verdict(token_of(kind, kind.access)) == "wrong_type"
    assert verdict(token_of(kind, kind.access | {"idtyp": "user"})) is None


def test_email_counts_if_the_claim_that_the_issuer_has_for_it_is_true(trust):
    """Entra's `email` is what a tenant's administrator typed (optional-claims-reference)."""
    kind, email = KINDS["entra"], {"email": "abe@example.com"}
    trust(kind, PROFILE="entra")
    for claims, expected in [
        (email, ""),
        (email | {"email_verified": True}, ""),
        (email | {"xms_edov": "1"}, ""),
        (email | {"xms_edov": True}, "abe@example.com"),
    ]:
        assert email_in(tokens.verify(token_of(kind, kind.access | claims))) == expected


def test_email_is_found_under_the_name_that_the_project_gives(trust):
    kind, space = KINDS["auth0"], "https://example.com/"
    names = {"EMAIL_CLAIM": f"{space}email", "EMAIL_VERIFIED_CLAIM": f"{space}verified"}
    trust(kind, PROFILE="auth0", **names)
    claims = {f"{space}email": "jane@example.com", f"{space}verified": True, "email": "other"}
    assert email_in(tokens.verify(token_of(kind, kind.access | claims))) == "jane@example.com"
    assert "email" not in tokens.verify(token_of(kind, kind.access | {"email": "other"}))


LOGOUT = {"events": {tokens.LOGOUT_EVENT: {}}, "aud": "my_client_id", "jti": "one", "sid": "s-1"}


def logout_token(kind: Kind, **changes) -> str:
    """Return a logout token with the claims and the header of OpenID's own example (2.4)."""
    claims = {"sub": kind.subject, **LOGOUT, **changes}
    return token_of(kind._replace(header={"typ": "logout+jwt"}), claims)


@pytest.mark.parametrize("profile", ["rfc9068", "auth0"])
def test_logout_ends_all_tokens_of_the_user_where_they_name_no_session(trust, profile):
    """The issuer names a session, which the server knows of no token."""
    kind = KINDS[profile]
    trust(kind, PROFILE=profile, CLIENT_ID="my_client_id")
    ended = verify_logout(logout_token(kind))
    assert ended == tokens.Logout(kind.subject, None, PAST, ends_offline=False)
    with pytest.raises(errors.InvalidTokenError) as refusal:
        verify_logout(logout_token(kind, sub=None))
    assert refusal.value.code == "claim_missing"


def test_logout_ends_the_session_that_access_tokens_name(trust):
    kind = KINDS["auth0"]
    trust(kind, PROFILE="auth0", CLIENT_ID="my_client_id", SESSION_CLAIM="https://example.com/sid")
    assert verify_logout(logout_token(kind)).session == "s-1"
    access = token_of(kind, kind.access | {"https://example.com/sid": "s-1"})
    assert tokens.session_of(tokens.verify(access)) == "s-1"


@each_profile
def test_logout_token_opens_no_socket(trust, profile):
    kind = KINDS[profile]
    trust(kind, PROFILE=profile)
    assert verdict(logout_token(kind, aud=kind.audience)) == "wrong_type"


# Signing.


def published(key, **changes) -> dict:
    """Return a public key as an issuer publishes it, here without the optional `alg`."""
    kinds = {
        ec.EllipticCurvePrivateKey: jwt.algorithms.ECAlgorithm,
        ed25519.Ed25519PrivateKey: jwt.algorithms.OKPAlgorithm,
    }
    kind = next(made for known, made in kinds.items() if isinstance(key, known))
    return kind.to_jwk(key.public_key(), as_dict=True) | {"kid": "k"} | changes


CURVES = {"ES256": ec.SECP256R1, "ES384": ec.SECP384R1, "ES512": ec.SECP521R1}
SIGNING = {name: (KEY, JWK) for name in ALGORITHMS if name[0] in "RP"}
for name, curve in CURVES.items():
    private = ec.generate_private_key(curve())
    SIGNING[name] = private, published(private)
ed = ed25519.Ed25519PrivateKey.generate()
SIGNING["EdDSA"] = ed, published(ed)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_token_may_be_signed_with_any_accepted_algorithm(trust, monkeypatch, algorithm):
    """One of Keycloak's realms may sign with another one than RS256."""
    kind, (key, jwk) = KINDS["keycloak"], SIGNING[algorithm]
    monkeypatch.setattr(Keys, "published", [jwk])
    token = token_of(kind, kind.access, algorithm=algorithm, key=key)
    trust(kind, ALGORITHMS=[algorithm])
    assert verdict(token) is None
    trust(kind, ALGORITHMS=[*{*ALGORITHMS} - {algorithm}])
    assert verdict(token) == "wrong_algorithm"


def test_refusal_says_which_algorithms_are_accepted(trust):
    kind = KINDS["keycloak"]
    token = token_of(kind, kind.access, algorithm="RS512")
    trust(kind, ALGORITHMS=("ES256", "PS256"))
    with pytest.raises(errors.InvalidTokenError) as refusal:
        tokens.verify(token)
    assert str(refusal.value) == "The token is not signed with ES256 or PS256."


def test_secret_of_simplejwt_verifies_nothing(trust):
    """Its default, HS256, would need the secret that signs on every server that verifies."""
    kind = KINDS["simplejwt"]
    trust(kind, PROFILE="simplejwt")
    token = token_of(kind, kind.access, algorithm="HS256", key="s" * 32)
    assert verdict(token) == "wrong_algorithm"


UNFIT = {
    "declared for another": JWK | {"alg": "RS512"},
    "for encryption": JWK | {"use": "enc"},
    "of another type": SIGNING["ES256"][1],
    "a secret": {"kty": "oct", "k": "czNjcmV0", "kid": "k"},
    "without numbers": {"kty": "RSA", "kid": "k"},
    "of no known type": {"kty": ["RSA"], "kid": "k"},
    "with a list as id": JWK | {"kid": ["k"]},
    "no key": "RSA",
}


@pytest.mark.parametrize("jwk", UNFIT.values(), ids=UNFIT)
def test_key_that_does_not_fit_the_algorithm_verifies_nothing(trust, monkeypatch, jwk):
    kind, other = KINDS["keycloak"], JWK | {"kid": "other"}
    monkeypatch.setattr(Keys, "published", [jwk, other])
    trust(kind, ALGORITHMS=["RS256", "ES256"])
    assert verdict(token_of(kind, kind.access)) == "unknown_key"


def test_issuer_without_any_key_that_fits_is_no_fault_of_the_token(trust, caplog):
    kind = KINDS["keycloak"]
    trust(kind, ALGORITHMS=["ES256"])
    token = token_of(kind, kind.access, algorithm="ES256", key=SIGNING["ES256"][0])
    assert verdict(token) == "keys_unavailable"
    assert "no key is for signatures with ES256" in caplog.text


def test_elliptic_key_is_used_with_the_algorithm_of_its_curve_only(trust, monkeypatch):
    kind, (key, jwk) = KINDS["keycloak"], SIGNING["ES384"]
    monkeypatch.setattr(Keys, "published", [jwk])
    trust(kind, ALGORITHMS=["ES256", "ES384"])
    forged = token_of(kind, kind.access, algorithm="ES256", key=SIGNING["ES256"][0])
    assert verdict(forged) == "unknown_key"
    assert verdict(token_of(kind, kind.access, algorithm="ES384", key=key)) is None


@pytest.mark.parametrize("algorithm", ["HS256", "none", "RS1", ""])
def test_no_setting_makes_an_unsafe_algorithm_accepted(trust, caplog, algorithm):
    kind = KINDS["keycloak"]
    trust(kind, ALGORITHMS=["RS256", algorithm])
    with pytest.raises(errors.KeysUnavailableError) as refusal:
        tokens.verify(token_of(kind, kind.access))
    assert str(refusal.value) == "The server cannot verify tokens."
    assert f"REALTIME_ISSUER has {algorithm!r} among its ALGORITHMS." in caplog.text
