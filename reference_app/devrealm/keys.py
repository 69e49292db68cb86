"""The realm's signing key, made once and kept in DATA_DIR for every process that uses it."""

import json
import os
import tempfile
from functools import cache
from hashlib import sha256
from pathlib import Path

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from django.conf import settings


@cache
def signing_key() -> rsa.RSAPrivateKey:
    """Return the private key, making it at the first call in a new DATA_DIR."""
    path = Path(settings.DATA_DIR) / "devrealm.pem"
    if not path.exists():
        _make_key(path)
    key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    assert isinstance(key, rsa.RSAPrivateKey)
    return key


def key_id() -> str:
    return sha256(json.dumps(_public_numbers(), sort_keys=True).encode()).hexdigest()[:16]


def key_set() -> dict:
    """Return the JSON Web Key Set that the realm publishes (RFC 7517)."""
    return {"keys": [_public_numbers() | {"kid": key_id(), "alg": "RS256", "use": "sig"}]}


class DevrealmKeyClient(jwt.PyJWKClient):
    """Reads the key set in process, because the server that verifies would serve it, too."""

    def fetch_data(self) -> dict:
        return key_set()


def _public_numbers() -> dict:
    return json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(signing_key().public_key()))


def _make_key(path: Path) -> None:
    """Write a new key, unless another process was quicker: one only can make the link."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    with tempfile.NamedTemporaryFile(dir=path.parent) as draft:  # mode 0600
        draft.write(pem)
        draft.flush()
        try:
            os.link(draft.name, path)
        except FileExistsError:
            pass
