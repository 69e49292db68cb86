"""An access token in, its claims out. No HTTP view, no Channels.

TokenError                 no claims
├── MissingTokenError      there is no token
├── InvalidTokenError      the token is bad; a new one may help
└── KeysUnavailableError   the issuer's keys cannot be had: nobody's token can be judged
"""

import threading
from functools import cache

import jwt
from asgiref.sync import sync_to_async
from django.conf import settings
from django.core.signals import setting_changed
from django.utils.module_loading import import_string

# Pinned: a token must not choose how it is verified (RFC 8725, 3.1). Keycloak signs with RS256.
ALGORITHMS = ["RS256"]
# Seconds that clocks may differ by; Keycloak's own clients allow as much.
LEEWAY = 10
# OpenID Connect Core, 2: `sub` has at most 255 ASCII characters.
MAX_SUBJECT = 255
# The last second that a datetime can hold, 31 December 9999.
END_OF_TIME = 253402300799

# PyJWT locks the look-up of one key, not of the set: many sockets at once must fetch it once.
fetching = threading.Lock()

REQUIRED_CLAIMS = ["exp", "iat", "iss", "aud", "sub"]


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
    """Return the verified claims of `token`; may block for a key, so see `averify`.

    Raises a `TokenError`. `azp` is not looked at: it names the client that asked for the token, and
    is no substitute for `aud` (Keycloak, Server Administration Guide, "Audience support").
    """
    if not token:
        raise MissingTokenError()
    try:
        claims = jwt.decode(
            token,
            _signing_key(token),
            algorithms=ALGORITHMS,
            issuer=settings.KEYCLOAK_ISSUER,
            audience=settings.KEYCLOAK_AUDIENCE,
            leeway=LEEWAY,
            options={"require": REQUIRED_CLAIMS},
        )
    except jwt.PyJWKClientConnectionError as error:
        raise KeysUnavailableError() from error
    except jwt.PyJWTError as error:
        raise _invalid(error) from error
    return _checked(claims)


# A thread of its own: the key fetch is synchronous and must hold up neither the event loop nor the
# one thread that all database calls share.
averify = sync_to_async(verify, thread_sensitive=False)


def _signing_key(token: str) -> jwt.PyJWK:
    """Return the issuer's key that `token` names, once its header shows a pinned algorithm."""
    header = jwt.get_unverified_header(token)
    if header.get("alg") not in ALGORITHMS:
        raise jwt.InvalidAlgorithmError()
    try:
        with fetching:
            key_client().get_signing_keys()  # cached; from here on the token is to blame
    except (jwt.PyJWTError, ValueError, OSError) as error:
        raise KeysUnavailableError() from error
    return key_client().get_signing_key(header.get("kid"))


def _checked(claims: dict) -> dict:
    """Return the claims, `exp` as a number; refuses what a good signature does not rule out."""
    if claims.get("typ") != "Bearer":
        raise InvalidTokenError("wrong_type", "The token is not an access token.")
    if not 0 < len(claims["sub"]) <= MAX_SUBJECT or not claims["sub"].isprintable():
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
def key_client() -> jwt.PyJWKClient:
    """Return the process's one key client: it caches the key set and fetches it again when due."""
    client = import_string(getattr(settings, "KEYCLOAK_KEY_CLIENT", "jwt.PyJWKClient"))
    certs = f"{settings.KEYCLOAK_ISSUER.rstrip('/')}/protocol/openid-connect/certs"
    return client(getattr(settings, "KEYCLOAK_JWKS_URL", certs), timeout=3)


def _forget_keys(*, setting: str, **kwargs) -> None:
    """Start with a new client when a test overrides where keys come from."""
    if setting.startswith("KEYCLOAK_"):
        key_client.cache_clear()


setting_changed.connect(_forget_keys)
