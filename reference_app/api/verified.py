"""Claims of tokens that were verified a moment ago: a page opens two sockets with one token."""

import time
from collections import OrderedDict
from hashlib import sha256

import jwt

# Tokens; a claim set takes one to four kilobytes.
MOST = 1_000


class Verified:
    """Claims by token, as long as the key that verified it is trusted, and no longer than `exp`.

    It spares the cryptography and the parsing, and nothing else: whether the user is active, the
    session not signed out and the membership still there is looked up each time.
    """

    def __init__(self):
        self.entries: OrderedDict[bytes, tuple[dict, jwt.PyJWK]] = OrderedDict()

    def find(self, token: str, keys: dict[str, jwt.PyJWK], leeway: int) -> dict | None:
        """Return a copy of the claims, or None where the token has to be verified."""
        digest = digest_of(token)
        claims, key = self.entries.get(digest, ({}, None))
        # A set that was fetched anew has new keys, even those that stayed the same.
        if key is None or keys.get(key.key_id) is not key:
            return None
        if time.time() >= claims["exp"] + leeway:
            return None
        self.entries.move_to_end(digest)
        return dict(claims)

    def keep(self, token: str, claims: dict, key: jwt.PyJWK) -> None:
        self.entries[digest_of(token)] = dict(claims), key
        if len(self.entries) > MOST:
            self.entries.popitem(last=False)


def digest_of(token: str) -> bytes:
    """Return what stands for the token: the token itself is not to lie around."""
    return sha256(token.encode(errors="surrogatepass")).digest()
