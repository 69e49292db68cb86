"""Which key verifies which signature."""

from collections.abc import Collection
from typing import Any

import jwt

# The algorithms of each type and curve of key (RFC 7518, 3.1 and 6.2.1.1; RFC 8037, 3.1). None of
# them works with a secret, so no public key can be taken for one (RFC 8725, 2.1 and 3.1).
OF_KEYS = {
    ("RSA", None): ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"],
    ("EC", "P-256"): ["ES256"],
    ("EC", "P-384"): ["ES384"],
    ("EC", "P-521"): ["ES512"],
    ("OKP", "Ed25519"): ["EdDSA"],
}
ALGORITHMS = [name for names in OF_KEYS.values() for name in names]

# The id of a key, which a token need not name, and the algorithm that the key is used with.
KeyName = tuple[str | None, str]


def signing_keys(key_set: Any, accepted: Collection[str]) -> dict[KeyName, jwt.PyJWK]:
    """Return the usable keys of a JSON Web Key Set, each once for every algorithm that fits.

    A key without `alg`, which is optional (RFC 7517, 4.4), fits all algorithms of its type. PyJWT
    would take it for one algorithm only.
    """
    keys = key_set.get("keys") if isinstance(key_set, dict) else None
    found = {}
    for jwk in keys if isinstance(keys, list) else []:
        for algorithm in fitting(jwk):
            if algorithm in accepted and (key := usable(jwk, algorithm)):
                found[key.key_id, algorithm] = key
    return found


def fitting(jwk: Any) -> list[str]:
    """Return the algorithms that a key of a set may be used with."""
    if not isinstance(jwk, dict) or jwk.get("use") not in ("sig", None):
        return []
    kind, named = (jwk.get("kty"), jwk.get("crv")), jwk.get("alg")
    # Compared, and not looked up: the parts may be of a type that is not hashable.
    names = next((names for known, names in OF_KEYS.items() if known == kind), [])
    return [name for name in names if named in (None, name)]


def usable(jwk: dict[str, Any], algorithm: str) -> jwt.PyJWK | None:
    if not isinstance(jwk.get("kid"), str | None):
        return None
    try:
        return jwt.PyJWK(jwk, algorithm)
    except jwt.PyJWTError:
        return None
