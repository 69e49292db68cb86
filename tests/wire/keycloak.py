"""A real Keycloak's demo realm, as its people and its administrator see it; see `.ci/keycloak`."""

import asyncio
import contextlib
import html
import json
import re
import threading
import uuid
from collections.abc import AsyncIterator, Iterator
from functools import partial
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

import httpx
import jwt
from asgiref.sync import sync_to_async
from django.conf import settings
from django.test import override_settings

from api.models import Membership
from demo.people import ORG_ID
from devrealm.issue import CLIENT_ID
from devrealm.zoo import encoded
from realtime.authority.users import active_user
from tests.project.readme import ROOT

FILE = ROOT / "reference_app" / "deploy" / "keycloak" / "realm.json"
# A page of the client, and the secret of its sign-in, by which a code is redeemed (RFC 7636).
PAGE, VERIFIER = "http://localhost:8000/", "v" * 43
CHALLENGE = encoded(sha256(VERIFIER.encode()).digest())
ADMIN = {"grant_type": "password", "client_id": "admin-cli", "username": "admin"}


@sync_to_async
def join(issuer: str, subject: str) -> None:
    """Make a user of the realm a member of the demo's organization."""
    with override_settings(REALTIME_ISSUER=settings.REALTIME_ISSUER | {"ISSUER": issuer}):
        user = active_user({"sub": subject})
    Membership.objects.get_or_create(organization_id=ORG_ID, user=user)


def claims_of(token: str) -> dict:
    """Return the claims of a token that nobody verified."""
    return jwt.decode(token, options={"verify_signature": False})


def switched(state: str) -> dict:
    """Return what enables or disables a key; Keycloak merges it into the configuration it has."""
    return {"config": {"enabled": [state], "active": [state]}}


class Browser:
    """Sends cookies back; httpx keeps the secure ones, which browsers send to localhost."""

    def __init__(self, http: httpx.AsyncClient):
        self.http = http
        self.cookies: dict[str, str] = {}

    async def request(self, method: str, url: str, **options) -> httpx.Response:
        cookies = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        answer = await self.http.request(method, url, headers={"Cookie": cookies}, **options)
        for line in answer.headers.get_list("Set-Cookie"):
            name, _, value = line.partition(";")[0].partition("=")
            self.cookies[name] = value
        return answer


class Realm:
    """The realm at `issuer`; what a `with` block changes in it, it changes back in the end."""

    def __init__(self, issuer: str, http: httpx.AsyncClient):
        root, _, name = issuer.rpartition("/realms/")
        self.openid = f"{issuer}/protocol/openid-connect"
        self.admin = f"{root}/admin/realms/{name}"
        self.master = f"{root}/realms/master/protocol/openid-connect"
        self.http = http

    # As a person with a browser

    async def ask(self, **form: str) -> httpx.Response:
        """Return the token endpoint's answer."""
        return await self.http.post(f"{self.openid}/token", data={"client_id": CLIENT_ID, **form})

    async def push(self, origin: str, **request: str) -> httpx.Response:
        """Return the answer to an authorization request that a page pushes (RFC 9126)."""
        form, headers = {"client_id": CLIENT_ID, **request}, {"Origin": origin}
        return await self.http.post(f"{self.openid}/ext/par/request", data=form, headers=headers)

    async def sign_in(self, username: str, scope: str = "openid") -> dict:
        """Return the tokens of a new session; the password is the username."""
        person = {"username": username, "password": username}
        answer = await self.ask(grant_type="password", scope=scope, **person)
        return answer.raise_for_status().json()

    async def sign_in_by_code(self, browser: Browser, username: str, scope: str) -> dict:
        """Return tokens of the browser's session, and begin one where there is none."""
        asked = {"client_id": CLIENT_ID, "response_type": "code", "scope": scope}
        challenge = {"code_challenge": CHALLENGE, "code_challenge_method": "S256"}
        params = asked | challenge | {"redirect_uri": PAGE}
        answer = await browser.request("GET", f"{self.openid}/auth", params=params)
        while answer.status_code == 200:  # a form for the username, and one for the password
            action = html.unescape(re.search(r'<form[^>]* action="([^"]+)"', answer.text)[1])
            form = {"username": username, "password": username}
            answer = await browser.request("POST", action, data=form)
        code = httpx.URL(answer.headers["Location"]).params["code"]
        grant = {"grant_type": "authorization_code", "code": code, "code_verifier": VERIFIER}
        return (await self.ask(**grant, redirect_uri=PAGE)).raise_for_status().json()

    async def refresh(self, tokens: dict) -> httpx.Response:
        """Return the answer to the refresh token: new tokens of the same session."""
        return await self.ask(grant_type="refresh_token", refresh_token=tokens["refresh_token"])

    async def sign_out(self, tokens: dict) -> None:
        """End the session of these tokens."""
        form = {"client_id": CLIENT_ID, "refresh_token": tokens["refresh_token"]}
        answer = await self.http.post(f"{self.openid}/logout", data=form)
        answer.raise_for_status()

    async def revoke(self, tokens: dict) -> None:
        """Take the refresh token back (RFC 7009)."""
        form = {"client_id": CLIENT_ID, "token": tokens["refresh_token"]}
        answer = await self.http.post(f"{self.openid}/revoke", data=form)
        answer.raise_for_status()

    # As the administrator

    async def enter_as_admin(self) -> None:
        """Get what `manage` needs; it lasts a minute."""
        answer = await self.http.post(f"{self.master}/token", data={**ADMIN, "password": "admin"})
        token = answer.raise_for_status().json()["access_token"]
        self.authority = {"Authorization": f"Bearer {token}"}

    async def manage(self, method: str, path: str, **options) -> httpx.Response:
        """Call the Admin REST API, under the realm's own address."""
        url = f"{self.admin}{path}"
        answer = await self.http.request(method, url, headers=self.authority, **options)
        return answer.raise_for_status()

    async def end_session(self, session: str) -> None:
        await self.manage("DELETE", f"/sessions/{session}")

    async def end_sessions_of(self, subject: str) -> None:
        await self.manage("POST", f"/users/{subject}/logout")

    async def end_all_sessions(self) -> None:
        await self.manage("POST", "/logout-all")

    async def subject_of(self, username: str) -> str:
        found = await self.manage("GET", "/users", params={"username": username, "exact": "true"})
        [user] = found.json()
        return user["id"]

    async def sessions_of(self, subject: str) -> list[str]:
        answer = await self.manage("GET", f"/users/{subject}/sessions")
        return [session["id"] for session in answer.json()]

    @contextlib.asynccontextmanager
    async def disabled(self, subject: str) -> AsyncIterator[None]:
        """Disable a user."""
        await self.manage("PUT", f"/users/{subject}", json={"enabled": False})
        try:
            yield
        finally:
            await self.manage("PUT", f"/users/{subject}", json={"enabled": True})

    def calling(self, url: str) -> contextlib.AbstractAsyncContextManager[None]:
        """Make `url` the one that hears of ended sessions (back-channel logout)."""
        return self.client_with({"backchannel.logout.url": url})

    @contextlib.asynccontextmanager
    async def client_with(
        self, attributes: dict[str, str] | None = None, **changes
    ) -> AsyncIterator[None]:
        """Change the client that people sign in with, and these of its attributes."""
        attributes = attributes or {}
        [client] = (await self.manage("GET", "/clients", params={"clientId": CLIENT_ID})).json()
        # Keycloak keeps an attribute that it is not told of, and removes an empty one.
        client["attributes"] = dict.fromkeys(attributes, "") | client["attributes"]
        changes["attributes"] = client["attributes"] | attributes
        async with self.replaced(f"/clients/{client['id']}", client, **changes):
            yield

    @contextlib.asynccontextmanager
    async def organization_claim(self, **config: str) -> AsyncIterator[None]:
        """Configure the mapper that writes the claim; `config` has Keycloak's own names."""
        scopes = (await self.manage("GET", "/client-scopes")).json()
        [scope] = [scope for scope in scopes if scope["name"] == "organization"]
        [mapper] = scope["protocolMappers"]
        path = f"/client-scopes/{scope['id']}/protocol-mappers/models/{mapper['id']}"
        async with self.replaced(path, mapper, config=mapper["config"] | config):
            yield

    @contextlib.asynccontextmanager
    async def rotated_key(self) -> AsyncIterator[None]:
        """Sign with a new key, and withdraw the one that signed so far."""
        keys = (await self.manage("GET", "/keys")).json()
        [old] = [key["providerId"] for key in keys["keys"] if key["kid"] == keys["active"]["RS256"]]
        provider = (await self.manage("GET", f"/components/{old}")).json()
        shared = {name: provider[name] for name in ("providerId", "providerType", "parentId")}
        rotated = shared | {"name": "rotated", "config": {"priority": ["1000"]}}
        created = await self.manage("POST", "/components", json=rotated)
        new = created.headers["Location"].rpartition("/")[2]
        try:
            await self.manage("PUT", f"/components/{old}", json=provider | switched("false"))
            yield
        finally:
            # In this order: a realm without a signing key makes itself another one.
            await self.manage("PUT", f"/components/{old}", json=provider | switched("true"))
            await self.manage("DELETE", f"/components/{new}")

    @contextlib.asynccontextmanager
    async def replaced(self, path: str, usual: dict, **changes) -> AsyncIterator[None]:
        """Put `usual` with these changes in its place, and `usual` back in the end."""
        await self.manage("PUT", path, json=usual | changes)
        try:
            yield
        finally:
            # A block may last longer than what the administrator entered with.
            await self.enter_as_admin()
            await self.manage("PUT", path, json=usual)


@contextlib.asynccontextmanager
async def real_realm(issuer: str) -> AsyncIterator[Realm]:
    # As patient as the slowest of Keycloak's own calls to us, which time out after 5 s.
    async with httpx.AsyncClient(timeout=30) as http:
        realm = Realm(issuer, http)
        await realm.enter_as_admin()
        yield realm


@contextlib.contextmanager
def copied_realm(issuer: str) -> Iterator[str]:
    """Make a realm like this one, and yield its issuer; what is done there disturbs nobody else."""
    realms = issuer.rpartition("/realms/")[0] + "/admin/realms"
    copy = json.loads(FILE.read_text()) | {"realm": f"copy-{uuid.uuid4()}"}
    # An id is one of a kind in all of Keycloak.
    for each in copy["users"] + copy["organizations"]:
        each["id"] = str(uuid.uuid4())
    asyncio.run(administer(issuer, "POST", realms, json=copy))
    yield f"{issuer.rpartition('/')[0]}/{copy['realm']}"
    asyncio.run(administer(issuer, "DELETE", f"{realms}/{copy['realm']}"))


async def administer(issuer: str, method: str, url: str, **options) -> None:
    """Call the Admin REST API once."""
    async with real_realm(issuer) as realm:
        # Keys and all: a busy machine takes its time.
        options |= {"headers": realm.authority, "timeout": 120}
        (await realm.http.request(method, url, **options)).raise_for_status()


class Listener(ThreadingHTTPServer):
    """Hears what Keycloak calls; `logout_tokens` holds what it was sent, in order."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), LogoutHandler)
        self.logout_tokens: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/"


class LogoutHandler(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.server.logout_tokens += parse_qs(body)["logout_token"]
        self.send_response(200)
        self.end_headers()

    def log_message(self, *args):
        """Say nothing."""


@contextlib.contextmanager
def listening() -> Iterator[Listener]:
    with Listener() as listener:
        thread = threading.Thread(target=partial(listener.serve_forever, poll_interval=0.01))
        thread.start()
        yield listener
        listener.shutdown()
        thread.join()
