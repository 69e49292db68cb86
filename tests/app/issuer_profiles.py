"""Tokens as seven kinds of issuers document them, and the key set to verify them with.

The claims are those of the examples in the documentation of each, but for the times. Those of a
client alone, and the values of Entra, are put together from the lists of claims there.
"""

from typing import Any, NamedTuple

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

from devrealm.accounts import PEOPLE
from devrealm.issue import access_claims
from devrealm.zoo import FUTURE, PAST

KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)

# Entra's keys have no `alg` (https://login.microsoftonline.com/common/discovery/v2.0/keys).
JWK = jwt.algorithms.RSAAlgorithm.to_jwk(KEY.public_key(), as_dict=True) | {
    "kid": "k",
    "use": "sig",
}


class Keys(jwt.PyJWKClient):
    """Answers as an issuer with these keys."""

    published: list[dict] = [JWK]

    def fetch_data(self) -> dict:
        return {"keys": self.published}


Claims = dict[str, Any]


class Kind(NamedTuple):
    """A kind of issuer by example; a claim set that it does not have is None."""

    issuer: str
    audience: str
    # Of an access token.
    header: dict[str, str]
    access: Claims
    subject: str
    session: str | None
    # The ID token that comes with it, or a refresh token where there is no ID token.
    other: Claims
    # The access token of a client that acts for itself.
    alone: Claims | None
    # What a project with Keycloak's profile reads in place of it.
    without: str


KINDS = {
    "keycloak": Kind(
        issuer="http://localhost:8000/realms/demo",
        audience="reference-app",
        header={},
        access=access_claims(PEOPLE["alice"]) | {"sid": "s-1"},
        subject=PEOPLE["alice"].subject,
        session="s-1",
        other=access_claims(PEOPLE["alice"]) | {"typ": "ID"},
        # A service account has a user of its own, and no session (Server Administration Guide,
        # "Using a service account").
        alone={"sub": "f1b1", "typ": "Bearer", "azp": "worker", "client_id": "worker"},
        without="",
    ),
    # RFC 9068, 3, figures 2 and 3; in 2.2 a client's own `sub` names the client.
    "rfc9068": Kind(
        issuer="https://authorization-server.example.com/",
        audience="https://rs.example.com/",
        header={"typ": "at+JWT"},
        access={
            "sub": "5ba552d67",
            "jti": "dbe39bf3a3ba4238a513f51d6e1691c4",
            "client_id": "s6BhdRkqt3",
            "scope": "openid profile reademail",
        },
        subject="5ba552d67",
        session=None,
        # OpenID Connect Core, 2.
        other={
            "sub": "24400320",
            "nonce": "n-0S6_WzA2Mj",
            "auth_time": PAST,
            "acr": "urn:mace:incommon:iap:silver",
        },
        alone={"sub": "s6BhdRkqt3", "client_id": "s6BhdRkqt3", "jti": "one"},
        without="wrong_type",
    ),
    # https://auth0.com/docs/secure/tokens/access-tokens/access-token-profiles
    # https://auth0.com/docs/secure/tokens/id-tokens/id-token-structure
    "auth0": Kind(
        issuer="https://my-domain.auth0.com/",
        audience="https://example.com/health-api",
        header={"typ": "JWT"},
        access={
            "sub": "auth0|123456",
            "aud": ["https://example.com/health-api", "https://my-domain.auth0.com/userinfo"],
            "azp": "my_client_id",
            "scope": "openid profile read:patients read:admin",
            "my_custom_claim": "my_custom_value",
        },
        subject="auth0|123456",
        session=None,
        other={
            "sub": "auth0|123456",
            "name": "Jane Doe",
            "birthdate": "0000-10-31",
            "email": "janedoe@example.com",
            "sid": "s-1",
        },
        alone={"sub": "my_client_id@clients", "azp": "my_client_id", "gty": "client-credentials"},
        without="wrong_type",
    ),
    # https://developer.okta.com/docs/reference/api/oidc/#access-token, where `sub` is "a name for
    # the user or a unique identifier for the client", and `uid` "isn't included in the access token
    # if there is no user bound to it".
    "okta": Kind(
        issuer="https://example.okta.com/oauth2/default",
        audience="https://api.example.com",
        header={},
        access={
            "ver": 1,
            "jti": "AT.0mP4JKAZX1iACIT4vbEDF7LpvDVjxypPMf0D7uX39RE",
            "sub": "john.doe@example.com",
            "cid": "nmdP1fcyvdVO11AL7ECm",
            "uid": "00ujmkLgagxeRrAg20g3",
            "scp": ["openid", "email", "flights", "custom"],
            "auth_time": PAST,
            "custom_claim": "CustomValue",
        },
        subject="00ujmkLgagxeRrAg20g3",
        session=None,
        other={
            "ver": 1,
            "sub": "00uid4BxXw6I6TV4m0g3",
            "amr": ["pwd"],
            "jti": "ID.4eAWJOCMB3SX8XewDfVR",
            "auth_time": PAST,
            "at_hash": "cpqKfdQA5eH891Ff5oJr_Q",
            "preferred_username": "john.doe@example.com",
        },
        alone={"ver": 1, "sub": "nmdP1fcyvdVO11AL7ECm", "cid": "nmdP1fcyvdVO11AL7ECm"},
        without="wrong_type",
    ),
    # https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference
    # https://learn.microsoft.com/entra/identity-platform/id-token-claims-reference
    # An app that calls its own API has one id for both, so `aud` is the same in both tokens.
    "entra": Kind(
        issuer="https://login.microsoftonline.com/72f988bf-86f1-41af-91ab-2d7cd011db47/v2.0",
        audience="6e74172b-be56-4843-9ff4-e66a39bb12e3",
        header={"typ": "JWT"},
        access={
            "nbf": PAST,
            "aio": "opaque",
            "azp": "6e74172b-be56-4843-9ff4-e66a39bb12e3",
            "azpacr": "0",
            "name": "Abe Lincoln",
            "oid": "690222be-ff1a-4d56-abd1-7e4f7d38e474",
            "preferred_username": "abeli@microsoft.com",
            "rh": "I",
            "scp": "access_as_user",
            "sub": "HKZpfaHyWadeOouYlitjrI-KffTm222X5rrV3xDqfKQ",
            "tid": "72f988bf-86f1-41af-91ab-2d7cd011db47",
            "uti": "fqiBqXLPj0eQa82S-IYFAA",
            "ver": "2.0",
            "sid": "00000000-0000-0000-66f3-3332eca7ea81",
        },
        subject="HKZpfaHyWadeOouYlitjrI-KffTm222X5rrV3xDqfKQ",
        session="00000000-0000-0000-66f3-3332eca7ea81",
        other={
            "ver": "2.0",
            "sub": "AAAAAAAAAAAAAAAAAAAAAIkzqFVrSaSaFHy782bbtaQ",
            "nbf": PAST,
            "name": "Abe Lincoln",
            "preferred_username": "AbeLi@microsoft.com",
            "oid": "00000000-0000-0000-66f3-3332eca7ea81",
            "tid": "72f988bf-86f1-41af-91ab-2d7cd011db47",
            "roles": ["Approver"],
        },
        alone={"ver": "2.0", "sub": "b1e6", "oid": "b1e6", "azp": "worker", "azpacr": "1"},
        without="wrong_type",
    ),
    # https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-the-access-token.html
    # …/amazon-cognito-user-pools-using-the-id-token.html
    "cognito": Kind(
        issuer="https://cognito-idp.us-west-2.amazonaws.com/us-west-2_example",
        audience="xxxxxxxxxxxxexample",
        header={},
        access={
            "sub": "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee",
            "aud": None,
            "cognito:groups": ["testgroup"],
            "version": 2,
            "client_id": "xxxxxxxxxxxxexample",
            "origin_jti": "bbbbbbbb-bbbb-cccc-dddd-eeeeeeeeeeee",
            "event_id": "cccccccc-bbbb-cccc-dddd-eeeeeeeeeeee",
            "token_use": "access",
            "scope": "phone openid profile resourceserver.1/appclient2 email",
            "auth_time": PAST,
            "username": "my-test-user",
        },
        subject="aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee",
        session="bbbbbbbb-bbbb-cccc-dddd-eeeeeeeeeeee",
        other={
            "sub": "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee",
            "cognito:username": "my-test-user",
            "origin_jti": "bbbbbbbb-bbbb-cccc-dddd-eeeeeeeeeeee",
            "token_use": "id",
            "email": "my-test-user@example.com",
        },
        alone={
            "sub": "xxxxxxxxxxxxexample",
            "aud": None,
            "client_id": "xxxxxxxxxxxxexample",
            "token_use": "access",
        },
        without="claim_missing",
    ),
    # https://django-rest-framework-simplejwt.readthedocs.io/en/latest/getting_started.html
    # with ISSUER and AUDIENCE set in SIMPLE_JWT.
    "simplejwt": Kind(
        issuer="https://app.example.com",
        audience="my-app",
        header={"typ": "JWT"},
        access={"token_type": "access", "jti": "7f5997b7150d46579dc2b49167097e7b", "user_id": 1},
        subject="1",
        session=None,
        other={"token_type": "refresh", "jti": "e1c0", "user_id": 1},
        alone=None,
        without="wrong_type",
    ),
}


def settings_of(kind: Kind, **changes: Any) -> dict[str, Any]:
    """Return REALTIME_ISSUER for a kind of issuer, without its profile."""
    return {
        "ISSUER": kind.issuer,
        "AUDIENCE": kind.audience,
        "KEYS_URL": "https://id.example.com/keys",
        "KEY_CLIENT": f"{__name__}.Keys",
    } | changes


def token_of(kind: Kind, claims: Claims, *, algorithm: str = "RS256", key: Any = KEY) -> str:
    """Return a token with such claims, and the issuer, the audience and the times besides."""
    usual = {"iss": kind.issuer, "aud": kind.audience, "iat": PAST, "exp": FUTURE}
    written = {name: value for name, value in (usual | claims).items() if value is not None}
    headers = {"kid": "k", **(kind.header if claims is not kind.other else {"typ": "JWT"})}
    return jwt.encode(written, key, algorithm, headers=headers)
