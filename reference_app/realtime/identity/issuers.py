"""The issuer whose tokens are trusted, and its signing keys."""

import logging
import threading
from functools import cache
from typing import Any, NamedTuple

import jwt
from django.core.signals import setting_changed
from django.utils.module_loading import import_string

from ..conf import conf
from ..deadlines import FETCH_TIMEOUT
from .errors import KeysUnavailableError
from .issuer_faults import faults_of_issuer
from .key_client import DiscoveringKeyClient, KeyClient
from .keys import KeySet
from .profiles import KEYS_PATHS, answers

logger = logging.getLogger(__name__)


class Issuer(NamedTuple):
    """An issuer of tokens, as REALTIME_ISSUER and its profile describe it.

    `profiles.KEYS` says what each field means.
    """

    issuer: str
    audience: str
    client_id: str
    # Empty where the issuer has to be asked.
    keys_url: str
    key_client: str
    algorithms: list[str]
    token_type_claim: str
    token_type: str
    audience_claim: str
    subject_claims: list[str]
    session_claim: str
    email_claim: str
    email_verified_claim: str


@cache
def trusted_issuer() -> Issuer:
    """Return the issuer that the settings name."""
    named = answers(conf.ISSUER if isinstance(conf.ISSUER, dict) else {})
    path = KEYS_PATHS.get(str(named["PROFILE"]))
    derived = {
        "CLIENT_ID": named["CLIENT_ID"] or named["AUDIENCE"],
        "KEYS_URL": named["KEYS_URL"] or (path and named["ISSUER"].rstrip("/") + path or ""),
    }
    values = named | derived
    return Issuer(**{field: values[field.upper()] for field in Issuer._fields})


def issuer_keys() -> KeySet:
    """Return the one set of keys of this process, for all its threads.

    Raises KeysUnavailableError where the settings are wrong, so that no token is let in by them.
    """
    # Of threads that ask at once, `cache` alone would give each a set, and keep the last one. What
    # a thread has fetched would not be in the set that it looks into.
    with _making_keys:
        return _issuer_keys()


_making_keys = threading.Lock()


@cache
def _issuer_keys() -> KeySet:
    if faults := faults_of_issuer():
        logger.error("No token can be verified: %s %s", *faults[0])
        raise KeysUnavailableError("The server cannot verify tokens.")
    return KeySet(_key_client(trusted_issuer()), trusted_issuer().algorithms)


def _key_client(issuer: Issuer) -> jwt.PyJWKClient:
    options: dict[str, Any] = {"cache_jwk_set": False, "timeout": FETCH_TIMEOUT}
    if not issuer.keys_url:
        return DiscoveringKeyClient(issuer.issuer, **options)
    client = import_string(issuer.key_client) if issuer.key_client else KeyClient
    return client(issuer.keys_url, **options)


def _forget_issuer(*, setting: str, **kwargs: Any) -> None:
    """Start again when a test overrides the issuer."""
    if setting == "REALTIME_ISSUER":
        trusted_issuer.cache_clear()
        _issuer_keys.cache_clear()


setting_changed.connect(_forget_issuer)
