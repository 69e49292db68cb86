"""A browser that signs in to Django over HTTP, and the socket that its page opens."""

from asgiref.sync import sync_to_async
from channels.routing import URLRouter
from django.conf import settings
from django.test import Client

from api.routing import websocket_urlpatterns
from realtime.authority.sessions import SessionKey, session_store
from realtime.middleware import SessionAuthMiddleware
from realtime.models import Identity
from tests.app.dialogue import NOTIFICATIONS, established, socket

# A project that forgets the check of the origin.
APPLICATION = SessionAuthMiddleware(URLRouter(websocket_urlpatterns))


def user_of(person):
    return Identity.objects.get(subject=person.subject).user


class Browser:
    """Keeps a session's cookie, and sends it with each socket, as the page of an origin."""

    def __init__(self, origin: str | None = "http://testserver"):
        self.http, self.origin = Client(), origin

    async def sign_in(self, person) -> "Browser":
        self.user = await sync_to_async(user_of)(person)
        await sync_to_async(self.http.force_login)(self.user)
        return self

    @property
    def key(self) -> str:
        return self.http.cookies[settings.SESSION_COOKIE_NAME].value

    @property
    def digest(self) -> str:
        return SessionKey(self.key).digest

    def session(self):
        return session_store()(self.key)

    @property
    def headers(self) -> list[tuple[bytes, bytes]]:
        cookies = self.http.cookies.output(header="", attrs=[], sep=";").strip()
        origin = [(b"origin", self.origin.encode())] if self.origin else []
        return [(b"host", b"testserver"), (b"cookie", cookies.encode()), *origin]

    def opens(self, path=NOTIFICATIONS):
        """Open a socket that is let in."""
        return established(path, headers=self.headers, to=APPLICATION)

    def tries(self, path=NOTIFICATIONS):
        """Open a socket that may be refused."""
        return socket(path, headers=self.headers, to=APPLICATION)
