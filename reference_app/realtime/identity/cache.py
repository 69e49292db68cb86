"""Claims of tokens that were verified a moment ago, because a page opens two sockets with one."""

import time
from collections import OrderedDict
from collections.abc import Mapping
from hashlib import sha256

import jwt

from .algorithms import KeyName
from .claims import Claims

# Tokens; a claim set takes one to four kilobytes.
MOST = 1_000


class VerifiedTokens:
    """Claims by token, as long as the key that verified it is trusted, and no longer than `exp`.

    This saves the cryptography and the parsing, and nothing else. Whether the user is active, the
    session not signed out and the access still there is looked up each time.
    """

    def __init__(self) -> None:
        self.entries: OrderedDict[bytes, tuple[Claims, KeyName, jwt.PyJWK]] = OrderedDict()

    def find(self, token: str, keys: Mapping[KeyName, jwt.PyJWK], leeway: int) -> Claims | None:
        """Return a copy of the claims, or None where the token has to be verified."""
        digest = digest_of(token)
        if digest not in self.entries:
            return None
        claims, key_name, key = self.entries[digest]
        # A set that was fetched anew has new keys, even those that stayed the same.
        if keys.get(key_name) is not key or time.time() >= claims["exp"] + leeway:
            return None
        self.entries.move_to_end(digest)
        return dict(claims)

    def keep(self, token: str, claims: Claims, key_name: KeyName, key: jwt.PyJWK) -> None:
        self.entries[digest_of(token)] = dict(claims), key_name, key
        if len(self.entries) > MOST:
            self.entries.popitem(last=False)


def digest_of(token: str) -> bytes:
    """Return what stands for the token, so that no token stays in memory."""
    return sha256(token.encode(errors="surrogatepass")).digest()
