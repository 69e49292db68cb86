"""Access tokens of an issuer that lives in the process of the tests."""

import json
import time
from functools import cache
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

from ..identity.issuers import trusted_issuer

# Seconds that a token is valid, unless a test asks for something else.
LIFESPAN = 300


class SigningKey:
    """An RSA key, and the id by which tokens name it."""

    def __init__(self, key_id: str):
        self.key_id = key_id
        self.private = rsa.generate_private_key(public_exponent=65537, key_size=2048)

    def sign(self, claims: dict[str, Any]) -> str:
        return jwt.encode(claims, self.private, "RS256", headers={"kid": self.key_id})

    def as_jwk(self) -> dict[str, Any]:
        """Return what an issuer publishes of it (RFC 7517, 4)."""
        numbers = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self.private.public_key()))
        return numbers | {"kid": self.key_id, "alg": "RS256", "use": "sig"}


@cache
def throw_away_key() -> SigningKey:
    """Return the key of this process, which no other one knows."""
    return SigningKey("throw-away")


class ThrowAwayKeyClient(jwt.PyJWKClient):
    """Gives the verifier that key, without a request."""

    def fetch_data(self) -> dict[str, Any]:
        return {"keys": [throw_away_key().as_jwk()]}


# A value for REALTIME_ISSUER in tests.
THROW_AWAY_ISSUER = {
    "ISSUER": "https://throw-away.example",
    "AUDIENCE": "tests",
    "KEY_CLIENT": f"{__name__}.ThrowAwayKeyClient",
}


def access_claims(subject: str, lifespan: int = LIFESPAN, **changes: Any) -> dict[str, Any]:
    """Return what a good token says of a subject.

    `lifespan` is in seconds. `changes` replace claims or add some, None removes one.
    """
    now, issuer = int(time.time()), trusted_issuer()
    usual = {"iss": issuer.issuer, "aud": issuer.audience, "sub": subject, "typ": "Bearer"}
    claims = usual | {"iat": now, "exp": now + lifespan} | changes
    return {name: value for name, value in claims.items() if value is not None}


def access_token(subject: str, lifespan: int = LIFESPAN, **changes: Any) -> str:
    """Return an access token of a subject, signed with the key of this process."""
    return throw_away_key().sign(access_claims(subject, lifespan, **changes))
