"""What a project says of its issuer in REALTIME_ISSUER, and what a profile answers in its place."""

from typing import Any, NamedTuple


class Key(NamedTuple):
    """One key of REALTIME_ISSUER, which has the type of its default."""

    default: Any
    meaning: str


DEFAULT_PROFILE = "keycloak"

# The defaults from ALGORITHMS on are those of Keycloak.
KEYS = {
    "ISSUER": Key("", "what a token's `iss` has to be, character by character"),
    "AUDIENCE": Key("", "what has to be in the token's claim for the audience"),
    "PROFILE": Key(DEFAULT_PROFILE, "the kind of issuer, which sets the defaults of other keys"),
    "CLIENT_ID": Key("", "the client for which logouts are reported; without it, AUDIENCE"),
    "KEYS_URL": Key("", "where the signing keys are; without it, the issuer is asked"),
    "KEY_CLIENT": Key("", "a `jwt.PyJWKClient` of yours that fetches the keys from KEYS_URL"),
    # As in ALGORITHMS of `algorithms`.
    "ALGORITHMS": Key(["RS256"], "some of RS, PS and ES with 256, 384 and 512, and EdDSA"),
    "TOKEN_TYPE_CLAIM": Key("typ", "the claim that access tokens have; empty: the header's `typ`"),
    "TOKEN_TYPE": Key("Bearer", "the value of that claim; empty: any value"),
    "AUDIENCE_CLAIM": Key("aud", "the claim for the audience"),
    "SUBJECT_CLAIMS": Key(["sub"], "the claims for the user; the first that a token has counts"),
    "SESSION_CLAIM": Key("sid", "the claim for the session; empty: access tokens have none"),
    "EMAIL_CLAIM": Key("email", "the claim for the email address"),
    "EMAIL_VERIFIED_CLAIM": Key(
        "email_verified", "the claim that is true if the email is verified"
    ),
}

# By profile, the keys for which it has another default.
PROFILES: dict[str, dict[str, Any]] = {
    # https://www.keycloak.org/docs/latest/server_admin/
    "keycloak": {},
    # RFC 9068, 2.1 and 4: the header tells an access token from an ID token. It defines no session.
    "rfc9068": {"TOKEN_TYPE_CLAIM": "", "TOKEN_TYPE": "at+jwt", "SESSION_CLAIM": ""},
    # https://auth0.com/docs/secure/tokens/access-tokens/access-token-profiles
    # `azp` is in each access token of the default profile and in no ID token, and a tenant cannot
    # add it, because the name is reserved. Only ID tokens have `sid`.
    "auth0": {"TOKEN_TYPE_CLAIM": "azp", "TOKEN_TYPE": "", "SESSION_CLAIM": ""},
    # https://developer.okta.com/docs/reference/api/oidc/#access-token
    # `cid` is reserved, and in access tokens only. There `sub` is the login name, which may change
    # hands. `uid` is the user's id, and a client that acts for itself has none.
    "okta": {
        "TOKEN_TYPE_CLAIM": "cid",
        "TOKEN_TYPE": "",
        "SUBJECT_CLAIMS": ["uid", "sub"],
        "SESSION_CLAIM": "",
    },
    # https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference
    # ID tokens too may have `roles`, and a client that acts for itself has no `scp`: `azpacr` is in
    # both its tokens and users', of v2.0 only. `sub` is never given to another user, and always
    # there; `oid` is only if the client asks for the scope `profile`.
    # `xms_edov`: https://learn.microsoft.com/entra/identity-platform/optional-claims-reference
    "entra": {
        "TOKEN_TYPE_CLAIM": "azpacr",
        "TOKEN_TYPE": "",
        "EMAIL_VERIFIED_CLAIM": "xms_edov",
    },
    # https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-the-access-token.html
    # `origin_jti` stays the same in all tokens of one sign-in.
    "cognito": {
        "TOKEN_TYPE_CLAIM": "token_use",
        "TOKEN_TYPE": "access",
        "AUDIENCE_CLAIM": "client_id",
        "SESSION_CLAIM": "origin_jti",
    },
    # https://django-rest-framework-simplejwt.readthedocs.io/en/latest/settings.html
    "simplejwt": {
        "TOKEN_TYPE_CLAIM": "token_type",
        "TOKEN_TYPE": "access",
        "SUBJECT_CLAIMS": ["user_id"],
        "SESSION_CLAIM": "",
    },
}

# Keycloak's path is known, so that its keys take one request and not two. Others have changed
# theirs, and are asked (OpenID Connect Discovery 1.0, 4). The library simplejwt answers neither.
KEYS_PATHS = {"keycloak": "/protocol/openid-connect/certs"}
WITHOUT_DISCOVERY = {"simplejwt"}


def answers(named: dict[str, Any]) -> dict[str, Any]:
    """Return the value of every key, from REALTIME_ISSUER, its profile, or the defaults."""
    defaults = {name: key.default for name, key in KEYS.items()}
    # A wrong profile is one of the faults for which no token is verified.
    profile = str(named.get("PROFILE", DEFAULT_PROFILE))
    return defaults | PROFILES.get(profile, {}) | named
