"""Reads the tokens of an issuer under the standard names of claims, whatever names it uses."""

from typing import Any

from .claims import Claims
from .issuers import Issuer

# What only ID tokens have, of issuers that give them no type (OpenID Connect Core, 2 and 3.3.2.11).
OF_ID_TOKENS = {"nonce", "at_hash", "c_hash"}


def is_access_token(header: dict[str, Any], claims: Claims, issuer: Issuer) -> bool:
    """Whether a verified token is no ID token, refresh token or other token of the issuer."""
    name, wanted = issuer.token_type_claim, issuer.token_type
    if not name:
        # A media type, of which the beginning may be left out (RFC 7515, 4.1.9; RFC 9068, 4).
        return str(header.get("typ")).lower().removeprefix("application/") == wanted.lower()
    if wanted:
        return claims.get(name) == wanted
    return name in claims and OF_ID_TOKENS.isdisjoint(claims)


def subject_in(claims: Claims, issuer: Issuer) -> Any:
    """Return what names the user, a whole number as a string, or None."""
    values = (claims.get(name) for name in issuer.subject_claims)
    subject = next((value for value in values if value is not None), None)
    return str(subject) if type(subject) is int else subject


def standard_claims(claims: Claims, issuer: Issuer) -> Claims:
    """Return the claims with the user, the session and the email under their standard names.

    A claim of such a name that means something else to the issuer is left out.
    """
    named = {
        "sub": subject_in(claims, issuer),
        "sid": claims.get(issuer.session_claim),
        "email": claims.get(issuer.email_claim),
        "email_verified": claims.get(issuer.email_verified_claim),
    }
    others = {name: value for name, value in claims.items() if name not in named}
    return others | {name: value for name, value in named.items() if value is not None}
