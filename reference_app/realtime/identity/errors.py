"""Why a token gives no claims.

TokenError
├── MissingTokenError      there is no token
├── InvalidTokenError      the token is bad, and a new one may help
└── KeysUnavailableError   there are no keys to verify any token with
"""

from collections.abc import Iterable

import jwt


class TokenError(Exception):
    """A token gives no claims, for a reason that `code` names for programs."""

    code: str

    def __init__(self, code: str, reason: str):
        super().__init__(reason)
        self.code = code


class MissingTokenError(TokenError):
    """There is no token to verify."""

    def __init__(self, reason: str = "There is no access token."):
        super().__init__("token_missing", reason)


class InvalidTokenError(TokenError):
    """The token is bad, and another one may be good."""


class KeysUnavailableError(TokenError):
    """There are no keys to verify a token with, which says nothing about the token."""

    def __init__(self, reason: str = "The identity provider is out of reach."):
        super().__init__("keys_unavailable", reason)


# What PyJWT found, as a word and a sentence; the first that fits counts.
FAULTS: list[tuple[type[jwt.PyJWTError], str, str]] = [
    (jwt.ExpiredSignatureError, "token_expired", "The token has expired."),
    (jwt.ImmatureSignatureError, "token_early", "The token is not valid yet."),
    (jwt.InvalidIssuerError, "wrong_issuer", "The token comes from another issuer."),
    (jwt.InvalidAudienceError, "wrong_audience", "The token is meant for another audience."),
    (jwt.MissingRequiredClaimError, "claim_missing", "The token lacks the claim `{claim}`."),
    (jwt.InvalidSignatureError, "wrong_signature", "The token's signature does not fit."),
    (jwt.PyJWKClientError, "unknown_key", "The token is signed with an unknown key."),
    (jwt.PyJWTError, "token_malformed", "The token is malformed."),
]


def invalid(error: jwt.PyJWTError) -> InvalidTokenError:
    """Return the error to raise for what PyJWT found, without any part of the token in it."""
    code, reason = next((code, reason) for kind, code, reason in FAULTS if isinstance(error, kind))
    return InvalidTokenError(code, reason.format(claim=getattr(error, "claim", "")))


def wrong_algorithm(accepted: Iterable[str]) -> InvalidTokenError:
    """Return the error to raise for a token that is signed with none of the accepted algorithms."""
    reason = f"The token is not signed with {' or '.join(accepted)}."
    return InvalidTokenError("wrong_algorithm", reason)


def claim_missing(names: Iterable[str]) -> InvalidTokenError:
    """Return the error to raise for a token that has none of these claims."""
    return InvalidTokenError(
        "claim_missing", f"The token lacks the claim `{'` or `'.join(names)}`."
    )
