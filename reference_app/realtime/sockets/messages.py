"""Handles the messages of a client, which are pings, new tokens, read marks and mistakes."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from django.db import DatabaseError

from ..authority.access import WORDS, as_error
from ..authority.registry import registry
from ..concurrency.threads import socket_threads
from ..conf import conf
from ..delivery.read_marks import mark_read, offset_in
from ..delivery.streams import Position
from ..identity.errors import InvalidTokenError, KeysUnavailableError, TokenError
from ..identity.refusals import log_refusal
from ..identity.tokens import averify
from ..protocol import frames
from ..protocol.close_codes import DATABASE_UNAVAILABLE, CloseCode, Refusal
from ..protocol.frames import MalformedError, MessageError, UnavailableError
from ..protocol.limits import Allowance
from ..signals import frame_received


class ClientMessages:
    """Answers the messages of one socket's client.

    Bad input gets an `error` frame. Too many messages, or too many bad ones in a row, close the
    socket.
    """

    def __init__(self, socket: Any):
        self.socket = socket
        self.allowance = Allowance(conf.MESSAGES_PER_MINUTE, conf.MESSAGE_BURST)
        self.errors_in_a_row = 0

    async def handle(self, text: str | None) -> None:
        """Answer the text of one message, or None, which stands for a binary one."""
        if self.socket.is_closing:
            return
        if not self.allowance.take():
            wait = self.allowance.full_after_ms
            refusal = Refusal(CloseCode.RATE_LIMITED, "You send too many messages.", wait)
            return await self.socket.refuse(refusal)
        kind = "invalid"
        try:
            message = frames.message_in(text)
            answer = self.socket.answers.get(message["type"])
            if answer is None:
                raise MessageError("unknown_type", "The message's type is not known here.")
            kind = message["type"]
            await answer(self.socket, message)
        except UnavailableError as error:
            await self.socket.send_json(error.frame())
        except MessageError as error:
            await self.send_error(error)
        else:
            self.errors_in_a_row = 0
        finally:
            frame_received.send_robust(ClientMessages, type=kind)

    async def send_error(self, error: MessageError) -> None:
        """Send an `error` frame, and close the socket after too many in a row."""
        await self.socket.send_json(error.frame())
        self.errors_in_a_row += 1
        if self.errors_in_a_row >= conf.MAX_ERRORS:
            await self.socket.refuse(
                Refusal(CloseCode.TOO_MANY_ERRORS, "You send one bad message after another.")
            )


async def ping(socket: Any, message: dict) -> None:
    """Answer with the timestamp as it was sent, because the client measures by its own clock."""
    timestamp = message.get("timestamp")
    if isinstance(timestamp, dict | list):
        raise MalformedError("A timestamp is a string or a number.")
    await socket.send_json({"type": "pong", "timestamp": timestamp})


async def refresh_token(socket: Any, message: dict) -> None:
    """Adopt a new token of the same user.

    A bad one leaves the old one in force, and so does one that cannot be judged now.
    """
    if not isinstance(message.get("token"), str):
        raise MalformedError("A token is a string.")
    if socket.access.session_key:
        raise MessageError("token_refused", "This socket was let in by a session, not by a token.")
    try:
        claims = await averify(message["token"])
        if claims["sub"] != socket.user_id:
            raise InvalidTokenError("wrong_user", "The token is another user's.")
    except TokenError as error:
        log_refusal(error, message["token"])
        if isinstance(error, KeysUnavailableError):
            raise UnavailableError(str(error)) from error
        raise MessageError("token_refused", str(error)) from error
    if refusal := await check_with(socket, claims):
        if refusal in WORDS:
            log_refusal(as_error(refusal), message["token"])
        return await socket.refuse(refusal)
    socket.adopt(claims)
    await socket.send_json({"type": "token.refreshed", "expires_at": socket.expires_at})


async def check_with(socket: Any, claims: dict) -> Refusal | None:
    """Return why a socket may not listen with these claims, or None.

    Raises UnavailableError where the database does not say, and the socket keeps its access.
    """
    # Registered for revocations before the check, so that none is missed in between.
    before, socket.access = socket.access, socket.access.renewed(claims)
    refusal: Refusal | None = DATABASE_UNAVAILABLE
    with suppress(TimeoutError):
        async with asyncio.timeout(conf.CONNECT_SECONDS):
            refusal = await socket.check_access()
    if refusal == DATABASE_UNAVAILABLE:
        socket.access = before
        registry().recheck(socket)  # a change of the old access was not noticed
        raise UnavailableError(refusal.reason)
    return refusal


async def read(socket: Any, message: dict) -> None:
    """Move the user's read mark up to an offset, which may be 0, and answer with where it is."""
    feed, user, offset = socket.cursor.feed, socket.scope["user"], offset_in(message)
    what = feed.name, Position(feed.stream_id, *feed.place), user, offset
    try:
        async with asyncio.timeout(conf.CONNECT_SECONDS):
            state = await socket_threads.run(mark_read, *what)
    except (TimeoutError, DatabaseError) as error:
        raise UnavailableError(DATABASE_UNAVAILABLE.reason) from error
    await socket.send_json(frames.read_frame(*state))


# The function that answers each type of message. It is awaited with the socket and the message.
ANSWERS: dict[str, Callable[[Any, dict], Awaitable[None]]] = {
    "ping": ping,
    "token.refresh": refresh_token,
    "notifications.read": read,
}
