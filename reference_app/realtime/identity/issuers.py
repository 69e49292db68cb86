"""The issuer whose tokens are trusted, and its signing keys."""

import threading
from functools import cache
from typing import Any, NamedTuple

import jwt
from django.core.signals import setting_changed
from django.utils.module_loading import import_string

from ..conf import conf
from ..deadlines import FETCH_TIMEOUT
from .key_client import KeyClient
from .keys import KeySet


class Issuer(NamedTuple):
    """An OpenID Connect issuer, as REALTIME_ISSUER names it.

    The defaults are Keycloak's.
    """

    # Compared with a token's `iss` character by character.
    issuer: str
    # Has to be in a token's `aud`.
    audience: str
    # The client that users sign in with, for which a logout token is meant.
    client_id: str
    keys_url: str
    # The class that fetches the keys, a `jwt.PyJWKClient`.
    key_client: type[jwt.PyJWKClient]


@cache
def trusted_issuer() -> Issuer:
    """Return the issuer that the settings name."""
    named = conf.ISSUER
    issuer, audience = named.get("ISSUER", ""), named.get("AUDIENCE", "")
    return Issuer(
        issuer,
        audience,
        client_id=named.get("CLIENT_ID") or audience,
        keys_url=named.get("KEYS_URL") or f"{issuer.rstrip('/')}/protocol/openid-connect/certs",
        key_client=import_string(path) if (path := named.get("KEY_CLIENT")) else KeyClient,
    )


def issuer_keys() -> KeySet:
    """Return the one set of keys of this process, for all its threads."""
    # Of threads that ask at once, `cache` alone would give each a set, and keep the last one. What
    # a thread has fetched would not be in the set that it looks into.
    with _making_keys:
        return _issuer_keys()


_making_keys = threading.Lock()


@cache
def _issuer_keys() -> KeySet:
    issuer = trusted_issuer()
    return KeySet(issuer.key_client(issuer.keys_url, cache_jwk_set=False, timeout=FETCH_TIMEOUT))


def _forget_issuer(*, setting: str, **kwargs: Any) -> None:
    """Start again when a test overrides the issuer."""
    if setting == "REALTIME_ISSUER":
        trusted_issuer.cache_clear()
        _issuer_keys.cache_clear()


setting_changed.connect(_forget_issuer)
