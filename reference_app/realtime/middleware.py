"""The middleware around an application: what is let in, and from whom it comes."""

import ipaddress
import logging
from asyncio import timeout, timeout_at
from collections import deque
from http import HTTPStatus
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.db import DatabaseError

from .authority.access import Access, answer_of
from .authority.registry import registry
from .authority.token_users import has_new_email
from .authority.users import active_user
from .conf import conf
from .identity.errors import KeysUnavailableError, TokenError
from .identity.refusals import log_refusal
from .identity.tokens import averify
from .protocol import frames
from .protocol.close_codes import DATABASE_UNAVAILABLE, CloseCode, Refusal
from .protocol.refused_requests import BUSY, RefusedRequest, too_large, too_slow
from .sockets.admission import admission, deadline_of
from .sockets.carriers import find_token, header_values, selected_subprotocol
from .sockets.origins import advice_on, is_allowed_origin, refuse_handshake
from .threads import socket_threads

logger = logging.getLogger(__name__)


class AllowedOriginsValidator:
    """Refuses with HTTP 403 a page from an origin, scheme, host and port, that is not allowed.

    It stands where the guide has `AllowedHostsOriginValidator`, which compares host names only and
    refuses every client without an Origin. Only browsers send one, always (RFC 6455, 10.2). No
    cookie is read here, so a client without an Origin cannot misuse one, and is let through.
    """

    def __init__(self, application):
        self.application = application

    async def __call__(self, scope, receive, send):
        for origin in header_values(scope, b"origin"):
            if not is_allowed_origin(origin, scope):
                advice = advice_on(origin, scope)
                logger.warning("Refused a WebSocket from origin %.200r. %s", origin, advice)
                return await refuse_handshake(scope, receive, send)
        return await self.application(scope, receive, send)


class JWTAuthMiddleware:
    """Sets `scope["user"]` and `scope["token"]`, the verified claims, from an access token.

    It refuses no client itself, because a client can only read a code from a socket that was
    accepted. Without a valid token the user is anonymous, the token is None, and
    `scope["refusal"]` says why, for the consumer to tell the client.
    """

    def __init__(self, application):
        self.application = application

    async def __call__(self, scope, receive, send):
        scope = dict(scope, user=AnonymousUser(), token=None, refusal=None)
        token = ""
        try:
            token = find_token(scope)
            # Without a slot: a token may have to wait for its key, and would keep others waiting.
            async with timeout_at(deadline_of(scope)):
                claims = await averify(token)
            async with admission(scope, "user"):
                # Taken before the look-up, so that the consumer can tell whether it still holds.
                scope["access_mark"] = registry().mark()
                scope["user"] = await load_user(claims)
                scope["token"] = claims
        except TokenError as error:
            log_refusal(error, token)
            unavailable = isinstance(error, KeysUnavailableError)
            code = CloseCode.UNAVAILABLE if unavailable else CloseCode.UNAUTHORIZED
            scope["refusal"] = Refusal(code, str(error))
        except (DatabaseError, TimeoutError) as error:
            logger.error("User could not be loaded: %r", error)
            scope["refusal"] = DATABASE_UNAVAILABLE
        return await self.application(scope, receive, send)


async def load_user(claims: dict) -> Any:
    """Return the active Django user of verified claims, created at the first visit.

    Raises InvalidTokenError where the user is disabled, or the session was signed out.
    """
    answer = await answer_of(Access.of(claims))
    if answer and not answer.refusal and not has_new_email(answer.user, claims):
        return answer.user
    # A new user is created, an email is stored, and a refused user is told why.
    return await socket_threads.run(active_user, claims)


class BodyLimit:
    """Refuses a request with a body that is too long, or too long on its way.

    It reads the body before the application does, and Django does so too before it calls a view.
    """

    def __init__(self, application):
        self.application = application
        self.held = 0

    async def __call__(self, scope, receive, send):
        if scope["type"] != "http":
            return await self.application(scope, receive, send)
        body = Body(receive)
        try:
            if refused := await self.read(body, announced_length(scope)):
                return await refused.answer(send)
            await self.application(scope, body.replay, send)
        finally:
            self.held -= body.size

    async def read(self, body: "Body", announced: int) -> RefusedRequest | None:
        """Read a whole body, and return why it is refused, or None."""
        try:
            async with timeout(conf.BODY_SECONDS):
                while not body.is_whole:
                    if max(announced, body.size) > conf.MAX_BODY_BYTES:
                        return too_large()
                    if self.held > conf.MAX_BODIES_BYTES:
                        return BUSY
                    size = await body.read_more()
                    self.held += size
        except TimeoutError:
            return too_slow()
        return too_large() if body.size > conf.MAX_BODY_BYTES else None


class Body:
    """The messages of a request's body, which are read and then replayed."""

    def __init__(self, receive):
        self.receive = receive
        self.messages: deque[dict] = deque()
        self.size, self.is_whole = 0, False

    async def read_more(self) -> int:
        """Read one message, and return how many bytes it has."""
        message = await self.receive()
        self.messages.append(message)
        # The message of a client that has left has neither.
        self.is_whole = not message.get("more_body", False)
        length = len(message.get("body", b""))
        self.size += length
        return length

    async def replay(self) -> dict:
        return self.messages.popleft() if self.messages else await self.receive()


def announced_length(scope) -> int:
    lengths = [*header_values(scope, b"content-length"), "0"]
    return int(lengths[0]) if lengths[0].isdecimal() else 0


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
    if not client:
        return True
    address = ipaddress.ip_address(client[0])
    return (getattr(address, "ipv4_mapped", None) or address).is_loopback
