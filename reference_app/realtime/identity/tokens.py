"""Verifies an access token and returns its claims, for plain views and for sockets alike."""

import asyncio
from concurrent.futures import wait
from typing import Any, NamedTuple, TypeGuard

import jwt

from ..deadlines import FETCH_PATIENCE
from .algorithms import KeyName
from .claims import Claims
from .errors import (
    InvalidTokenError,
    KeysUnavailableError,
    MissingTokenError,
    claim_missing,
    invalid,
    wrong_algorithm,
)
from .issuers import issuer_keys, trusted_issuer
from .standard_claims import is_access_token, standard_claims, subject_in

# Seconds that clocks may differ by; Keycloak's own clients allow as much.
LEEWAY = 10
# OpenID Connect Core, 2: `sub` has at most 255 ASCII characters; the same serves for `sid`.
MAX_NAME = 255
# The last second that a datetime can hold, 31 December 9999.
END_OF_TIME = 253402300799

# Characters. Servers refuse a longer header line, or drop the client (`server.headers`).
MAX_LENGTH = 16_384

REQUIRED_CLAIMS = ["exp", "iat", "iss"]
REQUIRED_LOGOUT_CLAIMS = ["iat", "iss", "aud"]
LOGOUT_EVENT = "http://schemas.openid.net/event/backchannel-logout"
# Keycloak's, by the client's option "Backchannel logout revoke offline sessions".
OFFLINE_EVENT = "revoke_offline_access"


class Logout(NamedTuple):
    """What a logout token ends, which is one session, or without one all sessions of a subject.

    `issued_at` is in seconds of the epoch.
    """

    subject: str | None
    session: str | None
    issued_at: int
    ends_offline: bool


def verify(token: str) -> Claims:
    """Return the verified claims of an access token; may wait for a key, so see `averify`.

    Raises a `TokenError`. `azp`, which names the client that asked for the token, is no substitute
    for `aud` (Keycloak, Server Administration Guide, "Audience support").
    """
    key_name = _key_name(token)
    if fetch := issuer_keys().refresh_for(key_name):
        wait([fetch], FETCH_PATIENCE)
    return _access_claims(token, key_name)


async def averify(token: str) -> Claims:
    """Do as `verify` does, without blocking the event loop.

    Only the fetch of a key leaves the loop, and is waited for.

    The cryptography takes 0.02 ms, less than a hop to a thread.
    """
    keys = issuer_keys()
    if known := keys.find_verified(token, LEEWAY):
        return known
    key_name = await _awaited_key_name(token)
    claims = _access_claims(token, key_name)
    keys.keep_verified(token, claims, key_name)
    return claims


async def averify_logout(token: str) -> Logout:
    """Return what a `logout_token` ends (OpenID Connect Back-Channel Logout 1.0, 2.4 and 2.6).

    Raises a `TokenError`. Its audience is the client that the user had signed in with.
    """
    key_name, issuer = await _awaited_key_name(token), trusted_issuer()
    claims = _decoded(token, key_name, issuer.client_id, REQUIRED_LOGOUT_CLAIMS)["payload"]
    events = claims.get("events")
    if not isinstance(events, dict) or LOGOUT_EVENT not in events or "nonce" in claims:
        raise InvalidTokenError("wrong_type", "The token is not a logout token.")
    subject = subject_in(claims, issuer)
    # Where no access token names its session, only the user's can be ended.
    session = session_of(claims) if issuer.session_claim else None
    if not (is_name(subject) or session):
        reason = "The token names neither a session (`sid`) nor a user (`sub`)."
        raise InvalidTokenError("claim_missing", reason)
    issued_at = max(0, int(claims["iat"]))
    subject = subject if is_name(subject) else None
    return Logout(subject, session, issued_at, events.get(OFFLINE_EVENT) is True)


def session_of(claims: Claims) -> str | None:
    """Return the session that a token belongs to, its `sid`, or None.

    A token need not have one.
    """
    session = claims.get("sid")
    return session if is_name(session) else None


def is_offline(claims: Claims) -> bool:
    """Whether a token gives offline access, which outlives sessions (OpenID Connect Core, 11)."""
    scope = claims.get("scope")
    return isinstance(scope, str) and "offline_access" in scope.split()


def is_name(text: object) -> TypeGuard[str]:
    """Whether this is a text that can name a user or a session, and be stored.

    It holds no control character and no lone surrogate."""
    return isinstance(text, str) and 0 < len(text) <= MAX_NAME and text.isprintable()


def _key_name(token: str) -> KeyName:
    """Return the key that signed, by a header that shows one of the accepted algorithms.

    They are pinned: a token must not choose how it is verified (RFC 8725, 3.1).
    """
    if not token:
        raise MissingTokenError()
    if len(token) > MAX_LENGTH:
        raise InvalidTokenError("token_too_long", "The token is longer than 16 KB.")
    try:
        header = jwt.get_unverified_header(token)
    except jwt.PyJWTError as error:
        raise invalid(error) from error
    except UnicodeError as error:  # half a surrogate pair, which JSON can spell
        raise invalid(jwt.DecodeError()) from error
    accepted = issuer_keys().algorithms
    if header.get("alg") not in accepted:
        raise wrong_algorithm(accepted)
    return header.get("kid"), header["alg"]


async def _awaited_key_name(token: str) -> KeyName:
    """Return the key that signed, once the fetch for it, if there is one, is over."""
    key_name = _key_name(token)
    if fetch := issuer_keys().refresh_for(key_name):
        await asyncio.wait([asyncio.wrap_future(fetch)], timeout=FETCH_PATIENCE)
    return key_name


def _access_claims(token: str, key_name: KeyName) -> Claims:
    """Return the claims of an access token of the issuer for this app, by their standard names."""
    issuer = trusted_issuer()
    # PyJWT knows the audience by its standard name only.
    audience = issuer.audience if issuer.audience_claim == "aud" else None
    decoded = _decoded(token, key_name, audience, REQUIRED_CLAIMS)
    return _checked(decoded["header"], decoded["payload"])


def _decoded(
    token: str, key_name: KeyName, audience: str | None, required: list[str]
) -> dict[str, Any]:
    """Return header and payload of a token of the issuer, its signature verified."""
    key = issuer_keys().get(key_name)
    if key is None:
        # While keys cannot be fetched, a new key's token looks like a forged one.
        known = issuer_keys().is_authoritative
        raise invalid(jwt.PyJWKClientError()) if known else KeysUnavailableError()
    try:
        return jwt.decode_complete(
            token,
            key,
            algorithms=issuer_keys().algorithms,
            issuer=trusted_issuer().issuer,
            audience=audience,
            leeway=LEEWAY,
            options={"require": required, "verify_aud": audience is not None},
        )
    except jwt.PyJWTError as error:
        raise invalid(error) from error


def _checked(header: dict[str, Any], claims: Claims) -> Claims:
    """Return the claims by their standard names, `exp` and `iat` as whole numbers.

    Refuses what a good signature does not rule out.
    """
    issuer = trusted_issuer()
    if "cnf" in claims:
        # Its holder has to prove that the key is theirs (RFC 7800; DPoP, RFC 9449; TLS, RFC 8705).
        reason = "The token is bound to a key, which is not checked here."
        raise InvalidTokenError("token_bound", reason)
    if not is_access_token(header, claims, issuer):
        raise InvalidTokenError("wrong_type", "The token is not an access token.")
    if issuer.audience_claim not in claims:
        raise claim_missing([issuer.audience_claim])
    if issuer.audience_claim != "aud" and claims[issuer.audience_claim] != issuer.audience:
        raise invalid(jwt.InvalidAudienceError())
    claims = standard_claims(claims, issuer)
    if "sub" not in claims:
        raise claim_missing(issuer.subject_claims)
    if not is_name(claims["sub"]):
        raise InvalidTokenError("bad_subject", "The token's subject cannot name a user.")
    expires_at = int(claims["exp"])
    if expires_at > END_OF_TIME:
        raise InvalidTokenError("bad_expiry", "The token's expiry is no date.")
    return claims | {"exp": expires_at, "iat": int(claims["iat"])}
