"""Middleware that refuses other machines."""

from http import HTTPStatus

from realtime.protocol import frames
from realtime.protocol.addresses import address_in
from realtime.protocol.close_codes import CloseCode, Refusal
from realtime.protocol.refused_requests import RefusedRequest
from realtime.sockets.carriers import selected_subprotocol


class LocalPeersOnly:
    """Refuses clients on other machines, for settings that are made for a laptop.

    A client without an address is in the same process, or on a unix socket. `reason` tells the
    others what to do.
    """

    def __init__(self, application, reason: str):
        self.application, self.reason = application, reason

    async def __call__(self, scope, receive, send):
        if scope["type"] not in ("http", "websocket") or is_local(scope.get("client")):
            return await self.application(scope, receive, send)
        if scope["type"] == "http":
            return await RefusedRequest(HTTPStatus.FORBIDDEN, "not_local", self.reason).answer(send)
        await receive()
        await send({"type": "websocket.accept", "subprotocol": selected_subprotocol(scope)})
        refusal = Refusal(CloseCode.FORBIDDEN, self.reason)
        await send({"type": "websocket.send", "text": frames.encode(refusal.frame())})
        await send(
            {"type": "websocket.close", "code": refusal.code.value, "reason": refusal.reason}
        )


def is_local(client) -> bool:
    return not client or address_in(client[0]).is_loopback
