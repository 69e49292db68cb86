"""The application for users who sign in by Django's session; below /tokens/ it takes tokens."""

from config.asgi import application as reference  # isort: skip  (sets Django up)
from channels.routing import ProtocolTypeRouter, URLRouter

from api.routing import websocket_urlpatterns
from realtime.middleware import SessionAuthMiddleware

by_session = SessionAuthMiddleware(URLRouter(websocket_urlpatterns))


async def websocket(scope, receive, send):
    path = scope["path"].removeprefix("/tokens")
    chosen = by_session if path == scope["path"] else reference
    await chosen(scope | {"path": path}, receive, send)


application = ProtocolTypeRouter({"http": reference, "websocket": websocket})
