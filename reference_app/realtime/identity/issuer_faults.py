"""What is wrong with REALTIME_ISSUER, so that no token can be verified."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import jwt
from django.utils.module_loading import import_string

from ..conf import conf
from .algorithms import ALGORITHMS
from .profiles import KEYS, KEYS_PATHS, PROFILES, WITHOUT_DISCOVERY, answers

# What may not be empty.
REQUIRED = ["ISSUER", "AUDIENCE", "ALGORITHMS", "AUDIENCE_CLAIM", "SUBJECT_CLAIMS"]
# Paths below an issuer, which are no part of its name.
BELOW = ["/.well-known", "/protocol/openid-connect"]


class Fault(NamedTuple):
    """A problem in one sentence, and its fix in another."""

    problem: str
    fix: str


# For a project without an issuer.
ALONE = " If users sign in by sessions alone, set REALTIME_ISSUER = {}."


def faults_of_issuer() -> list[Fault]:
    """Return the faults of the setting, and none if tokens can be verified."""
    named = conf.ISSUER
    if not isinstance(named, dict):
        return [Fault("REALTIME_ISSUER is no dictionary.", f"Its keys are {', '.join(KEYS)}.")]
    if wrong := [*faults_of_form(named)]:
        return wrong
    return [*missing(answers(named)), *faults_of_values(answers(named))]


def faults_of_form(named: dict[str, Any]) -> Iterator[Fault]:
    """Yield what is no key, no profile, or of the wrong type."""
    for name, value in named.items():
        if name not in KEYS:
            known = f"The known keys are {', '.join(KEYS)}."
            yield Fault(f"REALTIME_ISSUER has the unknown key {name!r}.", known)
        elif not has_type_of(KEYS[name].default, value):
            kind = "list of strings" if isinstance(KEYS[name].default, list) else "string"
            yield Fault(f"REALTIME_ISSUER has {value!r} as {name}.", f"It has to be a {kind}.")
        elif name == "PROFILE" and value not in PROFILES:
            known = f"The known profiles are {', '.join(PROFILES)}."
            yield Fault(f"REALTIME_ISSUER has the unknown PROFILE {value!r}.", known)


def has_type_of(default: Any, value: Any) -> bool:
    if isinstance(default, str):
        return isinstance(value, str)
    return isinstance(value, list | tuple) and all(isinstance(each, str) for each in value)


def missing(all_answers: dict[str, Any]) -> Iterator[Fault]:
    """Yield the keys that need a value and have none."""
    required = [*REQUIRED]
    if not all_answers["TOKEN_TYPE_CLAIM"]:
        required.append("TOKEN_TYPE")
    # A class of the project's own is given the address of the keys, and looks for no other.
    if all_answers["PROFILE"] in WITHOUT_DISCOVERY or (
        all_answers["KEY_CLIENT"] and all_answers["PROFILE"] not in KEYS_PATHS
    ):
        required.append("KEYS_URL")
    for name in required:
        if not all_answers[name]:
            meaning = KEYS[name].meaning.partition(";")[0]
            # Only the project knows whether it has an issuer at all.
            or_none = "" if all_answers["ISSUER"] else ALONE
            yield Fault(f"REALTIME_ISSUER has no {name}.", f"Set it to {meaning}.{or_none}")


def faults_of_values(all_answers: dict[str, Any]) -> Iterator[Fault]:
    """Yield values that can never be right, and a library that is not there."""
    issuer = all_answers["ISSUER"]
    for path in BELOW:
        if path in issuer:
            fix = f"Write {issuer.partition(path)[0]!r}, if that is the `iss` of your tokens."
            yield Fault(f"REALTIME_ISSUER has an ISSUER with the path {path} in it.", fix)
    if unknown := [name for name in all_answers["ALGORITHMS"] if name not in ALGORITHMS]:
        problem = f"REALTIME_ISSUER has {', '.join(map(repr, unknown))} among its ALGORITHMS."
        yield Fault(problem, f"Take some of {', '.join(ALGORITHMS)}.")
    try:
        import_string(all_answers["KEY_CLIENT"] or "jwt.PyJWKClient")
    except ImportError as error:
        fix = "It has to be the dotted path of a class."
        yield Fault(f"REALTIME_ISSUER has a KEY_CLIENT that cannot be imported: {error}.", fix)
    if not jwt.algorithms.has_crypto:
        yield Fault(
            "The package cryptography is not installed, without which no signature is verified.",
            "Run pip install 'PyJWT[crypto]'.",
        )
