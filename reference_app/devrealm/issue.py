"""Tokens with the claims that Keycloak 26 writes."""

import time
import uuid

import jwt

from realtime.identity.issuers import trusted_issuer

from .accounts import PEOPLE, Person
from .keys import key_id, signing_key

CLIENT_ID = "web"
# Keycloak's default lifespan of an access token, in seconds.
LIFESPAN = 300


def access_token(username: str, lifespan: int = LIFESPAN, **claims) -> str:
    """Return an access token for a demo user.

    `claims` replace the usual ones, None removes one.
    """
    now = int(time.time())
    usual = access_claims(PEOPLE[username]) | {"iat": now, "exp": now + lifespan}
    return sign({name: value for name, value in (usual | claims).items() if value is not None})


def sign(claims: dict) -> str:
    return jwt.encode(claims, signing_key(), algorithm="RS256", headers={"kid": key_id()})


def access_claims(person: Person) -> dict:
    """Return what Keycloak says of a person to this app, but for the times."""
    return {
        "jti": f"onrtro:{uuid.uuid4()}",
        "iss": trusted_issuer().issuer,
        # In Keycloak an audience mapper puts the app there; a new realm has `account` only.
        "aud": [trusted_issuer().audience, "account"],
        "sub": person.subject,
        "typ": "Bearer",
        "azp": CLIENT_ID,
        "sid": str(uuid.uuid4()),
        "acr": "1",
        "realm_access": {"roles": ["default-roles-demo"]},
        "scope": "openid email profile",
        "email_verified": True,
        "name": person.name,
        "preferred_username": person.username,
        "given_name": person.given_name,
        "family_name": person.family_name,
        "email": person.email,
    }
