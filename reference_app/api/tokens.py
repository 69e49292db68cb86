"""An access token in, its claims out. No HTTP view, no Channels.

TokenError                 no claims
├── MissingTokenError      there is no token
├── InvalidTokenError      the token is bad; a new one may help
└── KeysUnavailableError   the issuer's keys cannot be had: nobody's token can be judged
"""

import asyncio
from concurrent.futures import wait
from functools import cache

import jwt
from django.conf import settings
from django.core.signals import setting_changed
from django.utils.module_loading import import_string

from .keys import KeySet

# Pinned: a token must not choose how it is verified (RFC 8725, 3.1). Keycloak signs with RS256.
ALGORITHMS = ["RS256"]
# Seconds that clocks may differ by; Keycloak's own clients allow as much.
LEEWAY = 10
# OpenID Connect Core, 2: `sub` has at most 255 ASCII characters; the same serves for `sid`.
MAX_NAME = 255
# The last second that a datetime can hold, 31 December 9999.
END_OF_TIME = 253402300799

# Characters. Servers refuse a longer header line, or drop the client, see the README.
MAX_LENGTH = 16_384
# Seconds for each answer of the issuer, and for the whole fetch that a socket or request waits for:
# Daphne drops a client after 5 seconds without a word.
FETCH_TIMEOUT, FETCH_PATIENCE = 2, 2.5

REQUIRED_CLAIMS = ["exp", "iat", "iss", "aud", "sub"]
REQUIRED_LOGOUT_CLAIMS = ["iat", "iss", "aud"]
LOGOUT_EVENT = "http://schemas.openid.net/event/backchannel-logout"


class TokenError(Exception):
    """No claims, for the reason said; `code` is a word for programs."""

    code: str

    def __init__(self, code: str, reason: str):
        super().__init__(reason)
        self.code = code


class MissingTokenError(TokenError):
    """There is no token to verify."""

    def __init__(self, reason: str = "There is no access token."):
        super().__init__("token_missing", reason)


class InvalidTokenError(TokenError):
    """The token is bad: another one may do."""


class KeysUnavailableError(TokenError):
    """The issuer's signing keys are out of reach; says nothing about the token."""

    def __init__(self):
        super().__init__("keys_unavailable", "The identity provider is out of reach.")


# What PyJWT found, as a word and a sentence; the first that fits counts.
FAULTS: list[tuple[type[jwt.PyJWTError], str, str]] = [
    (jwt.ExpiredSignatureError, "token_expired", "The token has expired."),
    (jwt.ImmatureSignatureError, "token_early", "The token is not valid yet."),
    (jwt.InvalidIssuerError, "wrong_issuer", "The token comes from another issuer."),
    (jwt.InvalidAudienceError, "wrong_audience", "The token is meant for another audience."),
    (jwt.MissingRequiredClaimError, "claim_missing", "The token lacks a required claim."),
    (jwt.InvalidAlgorithmError, "wrong_algorithm", "The token is not signed with RS256."),
    (jwt.InvalidSignatureError, "wrong_signature", "The token's signature does not fit."),
    (jwt.PyJWKClientError, "unknown_key", "The token is signed with an unknown key."),
    (jwt.PyJWTError, "token_malformed", "The token is malformed."),
]


def verify(token: str) -> dict:
    """Return the verified claims of an access token; may wait for a key, so see `averify`.

    Raises a `TokenError`. `azp` is not looked at: it names the client that asked for the token, and
    is no substitute for `aud` (Keycloak, Server Administration Guide, "Audience support").
    """
    return _checked(
        _decoded(token, _awaited_key_id(token), settings.KEYCLOAK_AUDIENCE, REQUIRED_CLAIMS)
    )


async def averify(token: str) -> dict:
    """Do as `verify` does, on the event loop; only the fetch of a key leaves it, and is waited for.

    The cryptography takes 0.02 ms, less than a hop to a thread.
    """
    if known := issuer_keys().find_verified(token, LEEWAY):
        return known
    key_id = _key_id(token)
    if fetch := issuer_keys().fetch_for(key_id):
        await asyncio.wait([asyncio.wrap_future(fetch)], timeout=FETCH_PATIENCE)
    claims = _checked(_decoded(token, key_id, settings.KEYCLOAK_AUDIENCE, REQUIRED_CLAIMS))
    issuer_keys().keep_verified(token, claims, key_id)
    return claims


def verify_logout(token: str) -> str:
    """Return the session that a `logout_token` ends (OpenID Connect Back-Channel Logout 1.0, 2.6).

    Raises a `TokenError`. Its audience is the client that the user had signed in with.
    """
    client = getattr(settings, "KEYCLOAK_CLIENT_ID", "") or settings.KEYCLOAK_AUDIENCE
    claims = _decoded(token, _awaited_key_id(token), client, REQUIRED_LOGOUT_CLAIMS)
    events = claims.get("events")
    if not isinstance(events, dict) or LOGOUT_EVENT not in events or "nonce" in claims:
        raise InvalidTokenError("wrong_type", "The token is not a logout token.")
    session = session_of(claims)
    if session is None:
        raise InvalidTokenError(
            "claim_missing",
            "The token names no session: switch on 'Backchannel logout session required'.",
        )
    return session


def session_of(claims: dict) -> str | None:
    """Return the session that a token belongs to, its `sid`, or None; a token need not have one."""
    session = claims.get("sid")
    return session if isinstance(session, str) and is_name(session) else None


def is_name(text: str) -> bool:
    """Whether the text can name someone, and be stored: no control character, no half character."""
    return 0 < len(text) <= MAX_NAME and text.isprintable()


def claimed_organizations(claims: dict) -> list[str]:
    """Return the aliases in the `organization` claim, sorted; the scope's mapper gives its shape.

    They tell what Keycloak thinks. Who may hear an organisation's events is for our database to
    say: an alias is not its id, and a token outlives the membership that it claims.
    """
    claim = claims.get("organization")
    aliases = [claim] if isinstance(claim, str) else claim  # "acme", ["acme"], {"acme": {"id": …}}
    if not isinstance(aliases, list | dict):
        return []
    return sorted(alias for alias in aliases if isinstance(alias, str))


def _key_id(token: str) -> str | None:
    """Return the id of the key that signed, by a header that shows a pinned algorithm."""
    if not token:
        raise MissingTokenError()
    if len(token) > MAX_LENGTH:
        raise InvalidTokenError("token_too_long", "The token is longer than 16 KB.")
    try:
        header = jwt.get_unverified_header(token)
    except jwt.PyJWTError as error:
        raise _invalid(error) from error
    if header.get("alg") not in ALGORITHMS:
        raise _invalid(jwt.InvalidAlgorithmError())
    return header.get("kid")


def _awaited_key_id(token: str) -> str | None:
    """Return the id of the key that signed, once the fetch for it, if there is one, is over."""
    key_id = _key_id(token)
    if fetch := issuer_keys().fetch_for(key_id):
        wait([fetch], FETCH_PATIENCE)
    return key_id


def _decoded(token: str, key_id: str | None, audience: str, required: list[str]) -> dict:
    """Return the claims of a token of the issuer for this audience, its signature verified."""
    key = issuer_keys().get(key_id)
    if key is None:
        # While keys cannot be had, a new key's token looks like a forged one: nobody is to blame.
        known = issuer_keys().is_conclusive
        raise _invalid(jwt.PyJWKClientError()) if known else KeysUnavailableError()
    try:
        return jwt.decode(
            token,
            key,
            algorithms=ALGORITHMS,
            issuer=settings.KEYCLOAK_ISSUER,
            audience=audience,
            leeway=LEEWAY,
            options={"require": required},
        )
    except jwt.PyJWTError as error:
        raise _invalid(error) from error


def _checked(claims: dict) -> dict:
    """Return the claims, `exp` as a number; refuses what a good signature does not rule out."""
    if claims.get("typ") != "Bearer":
        raise InvalidTokenError("wrong_type", "The token is not an access token.")
    if not is_name(claims["sub"]):
        raise InvalidTokenError("bad_subject", "The token's subject is nobody's name.")
    expires_at = int(claims["exp"])
    if expires_at > END_OF_TIME:
        raise InvalidTokenError("bad_expiry", "The token's expiry is no date.")
    return claims | {"exp": expires_at}


def _invalid(error: jwt.PyJWTError) -> InvalidTokenError:
    """Return the error to raise for what PyJWT found, without a word of the token in it."""
    code, reason = next((code, reason) for kind, code, reason in FAULTS if isinstance(error, kind))
    return InvalidTokenError(code, reason)


@cache
def issuer_keys() -> KeySet:
    """Return the process's one set of keys."""
    client = import_string(getattr(settings, "KEYCLOAK_KEY_CLIENT", "jwt.PyJWKClient"))
    certs = f"{settings.KEYCLOAK_ISSUER.rstrip('/')}/protocol/openid-connect/certs"
    url = getattr(settings, "KEYCLOAK_JWKS_URL", certs)
    return KeySet(client(url, cache_jwk_set=False, timeout=FETCH_TIMEOUT))


def _forget_keys(*, setting: str, **kwargs) -> None:
    """Start with a new set when a test overrides where keys come from."""
    if setting.startswith("KEYCLOAK_"):
        issuer_keys.cache_clear()


setting_changed.connect(_forget_keys)
