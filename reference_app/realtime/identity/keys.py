"""The issuer's signing keys, fetched in a thread of their own and never twice at once.

PyJWT's client can cache a key set. But every caller waits that needs a key while one is fetched,
each of them tries again when the issuer does not answer, and a set that has grown old is dropped
even if no new one can be fetched. This class decides those three otherwise.
"""

import logging
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor

import jwt

from ..signals import keys_fetched
from .algorithms import KeyName, signing_keys
from .cache import VerifiedTokens
from .claims import Claims

logger = logging.getLogger(__name__)

# Seconds. A key that the issuer withdraws is trusted no longer than LIFESPAN, as in PyJWT. COOLDOWN
# bounds what forged key ids can make us fetch, and how long a rotated key may have to wait. RETRY
# is that after a fetch which failed, so that tokens are verified soon after the issuer is back.
LIFESPAN, COOLDOWN, RETRY = 300, 10, 3


class KeySet:
    """The keys by their ids and algorithms, and when they were fetched."""

    def __init__(self, client: jwt.PyJWKClient, algorithms: list[str]):
        self.client, self.algorithms = client, algorithms
        self.keys: dict[KeyName, jwt.PyJWK] = {}
        self.fetched_at = self.tried_at = -float("inf")
        self.last_try_failed = False
        self.fetching: Future[None] | None = None
        self.verified = VerifiedTokens()
        self.lock = threading.Lock()
        # One thread, so that an issuer that hangs delays only those who need a new key.
        self.thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="issuer-keys")

    def get(self, key_name: KeyName) -> jwt.PyJWK | None:
        return self.keys.get(key_name)

    @property
    def is_authoritative(self) -> bool:
        """Whether a key that is not here is unknown to the issuer too, as far as can be said."""
        fetched = self.fetching is not None and self.fetching.done()
        return bool(self.keys) and not self.last_try_failed and fetched

    def refresh_for(self, key_name: KeyName | None) -> Future[None] | None:
        """Return the fetch to wait for before a key is looked up, or None where none is needed.

        All callers share one fetch. After it, no other starts within the cooldown.
        """
        with self.lock:
            now = time.monotonic()
            if key_name in self.keys and now - self.fetched_at < LIFESPAN:
                return None
            pause = RETRY if self.last_try_failed else COOLDOWN
            if now - self.tried_at >= pause and (not self.fetching or self.fetching.done()):
                self.tried_at = now
                self.fetching = self.thread.submit(self._fetch)
            return self.fetching

    def find_verified(self, token: str, leeway: int) -> Claims | None:
        """Return the claims of a token that these keys have verified, while they are fresh."""
        if time.monotonic() - self.fetched_at >= LIFESPAN:
            return None
        return self.verified.find(token, self.keys, leeway)

    def keep_verified(self, token: str, claims: Claims, key_name: KeyName) -> None:
        if key := self.keys.get(key_name):
            self.verified.keep(token, claims, key_name, key)

    def _fetch(self) -> None:
        """Replace the keys. Those there are outlive a fetch that fails."""
        try:
            signing = signing_keys(self.client.fetch_data(), self.algorithms)
            if not signing:
                accepted = " or ".join(self.algorithms)
                raise jwt.PyJWKSetError(f"no key is for signatures with {accepted}")
        except (jwt.PyJWTError, ValueError, OSError) as error:
            self.last_try_failed = True
            logger.warning("The issuer's keys could not be fetched: %s", error)
        else:
            self.keys, self.fetched_at, self.last_try_failed = signing, time.monotonic(), False
        keys_fetched.send_robust(KeySet, succeeded=not self.last_try_failed)
