"""Eleven ways to refuse a client, or to fail it, as applications; the path says which."""

import config.asgi  # noqa: F401  isort: skip  (sets Django up for the next imports)

from channels.routing import URLRouter
from django.urls import path

from api.consumers import NotificationConsumer
from api.routing import websocket_urlpatterns
from realtime.protocol.close_codes import CloseCode, Refusal
from realtime.routing import SocketRouter

REASON = "Who are you?"
ACCEPT = {"type": "websocket.accept"}


def closing(code, reason=REASON):
    return {"type": "websocket.close", "code": code, "reason": reason}


async def close_before_accept(scope, receive, send):
    await receive()
    await send(closing(4001))


async def accept_then_close(scope, receive, send):
    await receive()
    await send(ACCEPT)
    await send(closing(4001))


async def accept_tell_close(scope, receive, send):
    scope = dict(scope, refusal=Refusal(CloseCode.UNAUTHORIZED, REASON))
    await NotificationConsumer.as_asgi()(scope, receive, send)


async def close_with_a_long_reason(scope, receive, send):
    await receive()
    await send(ACCEPT)
    await send(closing(4001, REASON * 11))  # 132 bytes; a close frame has room for 123


async def close_with_1011(scope, receive, send):
    await receive()
    await send(ACCEPT)
    await send(closing(1011))


async def raise_in_connect(scope, receive, send):
    await receive()
    raise RuntimeError("a bug")


async def raise_in_receive(scope, receive, send):
    await receive()
    await send(ACCEPT)
    await receive()
    raise RuntimeError("a bug")


async def select_no_subprotocol(scope, receive, send):
    await receive()
    await send(ACCEPT)
    while (await receive())["type"] != "websocket.disconnect":
        pass


async def return_without_closing(scope, receive, send):
    await receive()
    await send(ACCEPT)


WAYS = {
    "close before accept": close_before_accept,
    "accept, close": accept_then_close,
    "accept, tell, close: the reference": accept_tell_close,
    "close with 132 bytes of reason": close_with_a_long_reason,
    "close with 1011": close_with_1011,
    "raise in connect": raise_in_connect,
    "raise in receive": raise_in_receive,
    "no route: URLRouter": URLRouter([path("ws/", accept_then_close)]),
    "no route: the reference": SocketRouter(websocket_urlpatterns),
    "select none of the subprotocols": select_no_subprotocol,
    "return without closing": return_without_closing,
}
# What a client offers where it matters.
SUBPROTOCOLS = {"select none of the subprotocols": ["realtime.v1"]}


async def application(scope, receive, send):
    await WAYS[scope["path"].removeprefix("/")](scope, receive, send)
