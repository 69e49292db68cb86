"""Handles the messages of a client, which are pings, new tokens and mistakes."""

from collections.abc import Awaitable, Callable
from typing import Any

from ..authority.access import WORDS, as_error
from ..conf import conf
from ..identity.errors import InvalidTokenError, TokenError
from ..identity.refusals import log_refusal
from ..identity.tokens import averify
from ..protocol import frames
from ..protocol.close_codes import CloseCode, Refusal
from ..protocol.frames import MalformedError, MessageError
from ..protocol.limits import Allowance


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
        """Answer the text of one message.

        None stands for a binary one.
        """
        if self.socket.is_closing:
            return
        if not self.allowance.take():
            wait = self.allowance.full_after_ms
            refusal = Refusal(CloseCode.RATE_LIMITED, "You send too many messages.", wait)
            return await self.socket.refuse(refusal)
        try:
            message = frames.message_in(text)
            answer = self.socket.answers.get(message["type"])
            if answer is None:
                raise MessageError("unknown_type", "The message's type is not known here.")
            await answer(self.socket, message)
        except MessageError as error:
            await self.send_error(error)
        else:
            self.errors_in_a_row = 0

    async def send_error(self, error: MessageError) -> None:
        """Send an `error` frame.

        Too many in a row close the socket.
        """
        await self.socket.send_json({"type": "error", "code": error.code, "message": str(error)})
        self.errors_in_a_row += 1
        if self.errors_in_a_row >= conf.MAX_ERRORS:
            await self.socket.refuse(
                Refusal(CloseCode.TOO_MANY_ERRORS, "You send one bad message after another.")
            )


async def ping(socket: Any, message: dict) -> None:
    """Answer with the timestamp as it was sent.

    The client measures with its own clock.
    """
    timestamp = message.get("timestamp")
    if isinstance(timestamp, dict | list):
        raise MalformedError("A timestamp is a string or a number.")
    await socket.send_json({"type": "pong", "timestamp": timestamp})


async def refresh_token(socket: Any, message: dict) -> None:
    """Adopt a new token of the same user.

    A bad one leaves the old one in force.
    """
    if not isinstance(message.get("token"), str):
        raise MalformedError("A token is a string.")
    try:
        claims = await averify(message["token"])
        if claims["sub"] != socket.user_id:
            raise InvalidTokenError("wrong_user", "The token is another user's.")
    except TokenError as error:
        log_refusal(error, message["token"])
        raise MessageError("token_refused", str(error)) from error
    # Registered for revocations before the check, so that none is missed in between.
    socket.access = socket.access.renewed(claims)
    if refusal := await socket.check_access():
        if refusal in WORDS:
            log_refusal(as_error(refusal), message["token"])
        return await socket.refuse(refusal)
    socket.adopt(claims)
    await socket.send_json({"type": "token.refreshed", "expires_at": socket.expires_at})


# The function that answers each type of message. It is awaited with the socket and the message.
ANSWERS: dict[str, Callable[[Any, dict], Awaitable[None]]] = {
    "ping": ping,
    "token.refresh": refresh_token,
}
