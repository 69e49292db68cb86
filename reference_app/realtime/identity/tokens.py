"""Verifies an access token and returns its claims, for plain views and for sockets alike."""

import asyncio
from concurrent.futures import wait
from typing import NamedTuple

import jwt

from ..deadlines import FETCH_PATIENCE
from .claims import Claims
from .errors import InvalidTokenError, KeysUnavailableError, MissingTokenError, invalid
from .issuers import issuer_keys, trusted_issuer

# Pinned: a token must not choose how it is verified (RFC 8725, 3.1). Keycloak signs with RS256.
ALGORITHMS = ["RS256"]
# Seconds that clocks may differ by; Keycloak's own clients allow as much.
LEEWAY = 10
# OpenID Connect Core, 2: `sub` has at most 255 ASCII characters; the same serves for `sid`.
MAX_NAME = 255
# The last second that a datetime can hold, 31 December 9999.
END_OF_TIME = 253402300799

# Characters. Servers refuse a longer header line, or drop the client (`server.headers`).
MAX_LENGTH = 16_384

REQUIRED_CLAIMS = ["exp", "iat", "iss", "aud", "sub"]
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

    Raises a `TokenError`. `azp` is not looked at: it names the client that asked for the token, and
    is no substitute for `aud` (Keycloak, Server Administration Guide, "Audience support").
    """
    key_id = _key_id(token)
    if fetch := issuer_keys().refresh_for(key_id):
        wait([fetch], FETCH_PATIENCE)
    return _checked(_decoded(token, key_id, trusted_issuer().audience, REQUIRED_CLAIMS))


async def averify(token: str) -> Claims:
    """Do as `verify` does, without blocking the event loop.

    Only the fetch of a key leaves the loop, and is waited for.

    The cryptography takes 0.02 ms, less than a hop to a thread.
    """
    keys = issuer_keys()
    if known := keys.find_verified(token, LEEWAY):
        return known
    key_id = await _awaited_key_id(token)
    claims = _checked(_decoded(token, key_id, trusted_issuer().audience, REQUIRED_CLAIMS))
    keys.keep_verified(token, claims, key_id)
    return claims


async def averify_logout(token: str) -> Logout:
    """Return what a `logout_token` ends (OpenID Connect Back-Channel Logout 1.0, 2.4 and 2.6).

    Raises a `TokenError`. Its audience is the client that the user had signed in with.
    """
    key_id = await _awaited_key_id(token)
    claims = _decoded(token, key_id, trusted_issuer().client_id, REQUIRED_LOGOUT_CLAIMS)
    events = claims.get("events")
    if not isinstance(events, dict) or LOGOUT_EVENT not in events or "nonce" in claims:
        raise InvalidTokenError("wrong_type", "The token is not a logout token.")
    subject = claims["sub"] if is_name(claims.get("sub", "")) else None
    session = session_of(claims)
    if not (subject or session):
        reason = "The token names neither a session (`sid`) nor a user (`sub`)."
        raise InvalidTokenError("claim_missing", reason)
    issued_at = max(0, int(claims["iat"]))
    return Logout(subject, session, issued_at, events.get(OFFLINE_EVENT) is True)


def session_of(claims: Claims) -> str | None:
    """Return the session that a token belongs to, its `sid`, or None.

    A token need not have one.
    """
    session = claims.get("sid")
    return session if isinstance(session, str) and is_name(session) else None


def is_offline(claims: Claims) -> bool:
    """Whether a token gives offline access, which outlives sessions (OpenID Connect Core, 11)."""
    scope = claims.get("scope")
    return isinstance(scope, str) and "offline_access" in scope.split()


def is_name(text: str) -> bool:
    """Whether the text can name a user or a session, and be stored.

    It holds no control character and no lone surrogate."""
    return 0 < len(text) <= MAX_NAME and text.isprintable()


def _key_id(token: str) -> str | None:
    """Return the id of the key that signed, by a header that shows a pinned algorithm."""
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
    if header.get("alg") not in ALGORITHMS:
        raise invalid(jwt.InvalidAlgorithmError())
    return header.get("kid")


async def _awaited_key_id(token: str) -> str | None:
    """Return the id of the key that signed, once the fetch for it, if there is one, is over."""
    key_id = _key_id(token)
    if fetch := issuer_keys().refresh_for(key_id):
        await asyncio.wait([asyncio.wrap_future(fetch)], timeout=FETCH_PATIENCE)
    return key_id


def _decoded(token: str, key_id: str | None, audience: str, required: list[str]) -> Claims:
    """Return the claims of a token of the issuer for this audience, its signature verified."""
    key = issuer_keys().get(key_id)
    if key is None:
        # While keys cannot be fetched, a new key's token looks like a forged one.
        known = issuer_keys().is_authoritative
        raise invalid(jwt.PyJWKClientError()) if known else KeysUnavailableError()
    try:
        return jwt.decode(
            token,
            key,
            algorithms=ALGORITHMS,
            issuer=trusted_issuer().issuer,
            audience=audience,
            leeway=LEEWAY,
            options={"require": required},
        )
    except jwt.PyJWTError as error:
        raise invalid(error) from error


def _checked(claims: Claims) -> Claims:
    """Return the claims, `exp` and `iat` as whole numbers.

    Refuses what a good signature does not rule out.
    """
    if "cnf" in claims:
        # Its holder has to prove that the key is theirs (RFC 7800; DPoP, RFC 9449; TLS, RFC 8705).
        reason = "The token is bound to a key, which is not checked here."
        raise InvalidTokenError("token_bound", reason)
    if claims.get("typ") != "Bearer":
        raise InvalidTokenError("wrong_type", "The token is not an access token.")
    if not is_name(claims["sub"]):
        raise InvalidTokenError("bad_subject", "The token's subject cannot name a user.")
    expires_at = int(claims["exp"])
    if expires_at > END_OF_TIME:
        raise InvalidTokenError("bad_expiry", "The token's expiry is no date.")
    return claims | {"exp": expires_at, "iat": int(claims["iat"])}
