"""Why a token gives no claims.

TokenError
├── MissingTokenError      there is no token
├── InvalidTokenError      the token is bad, and a new one may help
└── KeysUnavailableError   the issuer's keys cannot be fetched, so no token can be verified
"""

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
    """The issuer's signing keys cannot be fetched, which says nothing about the token."""

    def __init__(self) -> None:
        super().__init__("keys_unavailable", "The identity provider is out of reach.")


# What PyJWT found, as a word and a sentence; the first that fits counts.
FAULTS: list[tuple[type[jwt.PyJWTError], str, str]] = [
    (jwt.ExpiredSignatureError, "token_expired", "The token has expired."),
    (jwt.ImmatureSignatureError, "token_early", "The token is not valid yet."),
    (jwt.InvalidIssuerError, "wrong_issuer", "The token comes from another issuer."),
    (jwt.InvalidAudienceError, "wrong_audience", "The token is meant for another audience."),
    (jwt.MissingRequiredClaimError, "claim_missing", "The token lacks the claim `{claim}`."),
    (jwt.InvalidAlgorithmError, "wrong_algorithm", "The token is not signed with RS256."),
    (jwt.InvalidSignatureError, "wrong_signature", "The token's signature does not fit."),
    (jwt.PyJWKClientError, "unknown_key", "The token is signed with an unknown key."),
    (jwt.PyJWTError, "token_malformed", "The token is malformed."),
]


def invalid(error: jwt.PyJWTError) -> InvalidTokenError:
    """Return the error to raise for what PyJWT found, without any part of the token in it."""
    code, reason = next((code, reason) for kind, code, reason in FAULTS if isinstance(error, kind))
    return InvalidTokenError(code, reason.format(claim=getattr(error, "claim", "")))
