"""An issuer whose keys rotate and whose certs address can fail or hang: real HTTP, in a thread."""

import json
import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

from devrealm.accounts import PEOPLE
from devrealm.issue import access_claims

LATER = 4_102_444_800


class Issuer:
    """Publishes `published` keys, counts the fetches, answers when `answers` is set."""

    def __init__(self):
        self.private: dict[str, rsa.RSAPrivateKey] = {}
        self.published: list[str] = []
        self.use = "sig"
        # What its discovery document says.
        self.document: dict[str, object] = {}
        self.status, self.fetches = 200, 0
        self.paths: list[str] = []
        # What is sent in place of the keys, and the seconds between two bytes of it.
        self.body, self.pause = b"", 0.0
        self.answers, self.asked = threading.Event(), threading.Event()
        self.answers.set()
        self.ended = threading.Event()
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self.handler())
        # So `close` waits for each answer, and none of their connections is left to the collector.
        self.server.daemon_threads = False
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    @property
    def origin(self) -> str:
        return "http://{}:{}".format(*self.server.server_address)

    @property
    def url(self) -> str:
        return f"{self.origin}/certs"

    def make_key(self, key_id: str, publish: bool = True) -> None:
        self.private[key_id] = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        if publish:
            self.published.append(key_id)

    def token(self, key_id: str, named: str = "", **claims: str) -> str:
        """Return alice's token, signed by that key, which may be nobody's.

        `named` is the id that its header names instead.
        """
        if key_id not in self.private:
            self.make_key(key_id, publish=False)
        claims = access_claims(PEOPLE["alice"]) | {"iat": 1_700_000_000, "exp": LATER} | claims
        return jwt.encode(claims, self.private[key_id], "RS256", headers={"kid": named or key_id})

    def key_set(self) -> dict:
        as_jwk = jwt.algorithms.RSAAlgorithm.to_jwk
        keys = {name: json.loads(as_jwk(self.private[name].public_key())) for name in self.private}
        return {"keys": [keys[name] | {"kid": name, "use": self.use} for name in self.published]}

    def answer_to(self, path: str) -> bytes:
        is_discovery = path.endswith("/.well-known/openid-configuration")
        return json.dumps(self.document if is_discovery else self.key_set()).encode()

    def handler(self):
        issuer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                issuer.fetches += 1
                issuer.asked.set()
                issuer.answers.wait()
                self.send_response(issuer.status)
                self.end_headers()
                issuer.paths.append(self.path)
                body = issuer.body or issuer.answer_to(self.path)
                with suppress(ConnectionError):
                    for start in range(0, len(body), step := 1 if issuer.pause else len(body)):
                        self.wfile.write(body[start : start + step])
                        issuer.ended.wait(issuer.pause)

            def log_message(self, *args):
                pass

        return Handler

    def close(self) -> None:
        self.answers.set()
        self.ended.set()
        self.server.shutdown()
        self.server.server_close()


def use_keys_of(settings, **issuer: str) -> None:
    """Fetch the issuer's keys by HTTP; `issuer` replaces parts of REALTIME_ISSUER."""
    settings.REALTIME_ISSUER = settings.REALTIME_ISSUER | {"KEY_CLIENT": ""} | issuer
