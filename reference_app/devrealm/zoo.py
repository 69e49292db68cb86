"""One good token and many bad ones, for tests, lessons, and checks of other verifiers.

What can be read is alice's, and in order but for one fault: only the check that looks for this
fault can refuse it. Keycloak's own ID, refresh and logout tokens differ in more than `typ`.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from functools import cache, partial

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from realtime.identity.issuers import trusted_issuer
from realtime.identity.tokens import LOGOUT_EVENT, MAX_LENGTH

from .accounts import PEOPLE
from .issue import access_claims, sign
from .keys import key_id, signing_key

# Seconds of the epoch, in 2023 and in 2100: no verdict depends on the day.
PAST, FUTURE = 1_700_000_000, 4_102_444_800


def claims(**changes) -> dict:
    """Return a good token's claims.

    `changes` replace some, None removes one.
    """
    usual = access_claims(PEOPLE["alice"]) | {"iat": PAST, "exp": FUTURE}
    return {name: value for name, value in (usual | changes).items() if value is not None}


def with_claims(**changes) -> str:
    return sign(claims(**changes))


def of_wrong_issuer() -> str:
    return with_claims(iss="https://evil.example/realms/demo")


def of_issuer_with_slash() -> str:
    return with_claims(iss=f"{trusted_issuer().issuer}/")


def with_azp_instead_of_aud() -> str:
    return with_claims(aud=["account"], azp=trusted_issuer().audience)


def logout_token() -> str:
    return with_claims(typ="Logout", events={LOGOUT_EVENT: {}})


def unsigned() -> str:
    return jwt.encode(claims(), "", algorithm="none", headers={"kid": key_id()})


def signed_by_stranger(kid: str | None) -> str:
    headers = {"kid": kid} if kid else None
    return jwt.encode(claims(), strangers_key(), algorithm="RS256", headers=headers)


@cache
def strangers_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def hmac_by_public_key() -> str:
    """Return a token signed by HMAC with the public key as its secret (RFC 8725, 2.1).

    Made by hand, because PyJWT refuses to sign it.
    """
    pem, public = serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    secret = signing_key().public_key().public_bytes(pem, public)
    header = {"alg": "HS256", "typ": "JWT", "kid": key_id()}
    signed = f"{encoded(json.dumps(header).encode())}.{encoded(json.dumps(claims()).encode())}"
    return f"{signed}.{encoded(hmac.new(secret, signed.encode(), hashlib.sha256).digest())}"


def encoded(raw: bytes) -> str:
    """Return a part of a token, which is base64url without padding (RFC 7515, 2)."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def truncated() -> str:
    """Return the first half, with all of the header and not all of the payload."""
    token = with_claims()
    return token[: len(token) // 2]


def without_signature() -> str:
    return with_claims().rpartition(".")[0] + "."


def tampered() -> str:
    """Return mallory's token with alice's payload in it."""
    header, _, signature = with_claims(sub=PEOPLE["mallory"].subject).split(".")
    return ".".join([header, with_claims().split(".")[1], signature])


ZOO: dict[str, Callable[[], str]] = {
    "valid": with_claims,
    "expired": partial(with_claims, exp=PAST + 300),
    "issued in the future": partial(with_claims, iat=FUTURE),
    "not valid yet": partial(with_claims, nbf=FUTURE),
    "valid for ever": partial(with_claims, exp=10**18),
    "wrong issuer": of_wrong_issuer,
    "issuer with a slash": of_issuer_with_slash,
    "wrong audience": partial(with_claims, aud=["account"]),
    "azp instead of aud": with_azp_instead_of_aud,
    "without exp": partial(with_claims, exp=None),
    "without iat": partial(with_claims, iat=None),
    "without iss": partial(with_claims, iss=None),
    "without aud": partial(with_claims, aud=None),
    "without sub": partial(with_claims, sub=None),
    "without typ": partial(with_claims, typ=None),
    "bound to a key": partial(with_claims, cnf={"jkt": "the thumbprint of a key"}),
    "ID token": partial(with_claims, typ="ID"),
    "refresh token": partial(with_claims, typ="Refresh"),
    "logout token": logout_token,
    "subject empty": partial(with_claims, sub=""),
    "subject too long": partial(with_claims, sub="x" * 256),
    "subject unprintable": partial(with_claims, sub="a\x00b"),
    "subject half a character": partial(with_claims, sub="\ud800"),
    "alg none": unsigned,
    "HS256 by the public key": hmac_by_public_key,
    "signed by another key": lambda: signed_by_stranger(key_id()),
    "unknown key id": lambda: signed_by_stranger("unknown"),
    "no key id": lambda: signed_by_stranger(None),
    "tampered": tampered,
    "without a signature": without_signature,
    "truncated": truncated,
    "oversized": partial(with_claims, padding="x" * MAX_LENGTH),
    "garbage": lambda: "garbage",
    "not ASCII": lambda: "é.é.é",
    "empty": str,
}
