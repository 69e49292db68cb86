"""What a client may say on an open socket, how much of it, and how it is answered."""

from datetime import UTC, datetime

from . import frames
from .authority import Authority
from .close_codes import CloseCode, Refusal
from .frames import MalformedError, MessageError
from .limits import Allowance, limit
from .tokens import TokenError, averify


class Conversation:
    """The client's half of a `RealtimeConsumer`; bad input is answered, too much of it refused."""

    def start_conversation(self) -> None:
        per_minute, burst = limit("WEBSOCKET_MESSAGES_PER_MINUTE"), limit("WEBSOCKET_MESSAGE_BURST")
        self.allowance = Allowance(per_minute, burst)
        self.errors_in_a_row = 0

    async def receive(self, text_data=None, bytes_data=None):
        if self.is_closing:
            return
        if not self.allowance.take():
            wait = self.allowance.full_after_ms
            return await self.refuse(
                Refusal(CloseCode.RATE_LIMITED, "You send too many messages.", wait)
            )
        try:
            message = frames.message_in(text_data)
            if message["type"] not in self.answers:
                raise MessageError("unknown_type", "The message's type is not known here.")
            await self.answers[message["type"]](self, message)
        except MessageError as error:
            await self.complain(error)
        else:
            self.errors_in_a_row = 0

    async def complain(self, error: MessageError):
        """Answer with the fault; the socket stays open, but not for the same again and again."""
        await self.send_json({"type": "error", "code": error.code, "message": str(error)})
        self.errors_in_a_row += 1
        if self.errors_in_a_row >= limit("WEBSOCKET_MAX_ERRORS"):
            await self.refuse(
                Refusal(CloseCode.TOO_MANY_ERRORS, "You send one bad message after another.")
            )

    async def ping(self, message: dict):
        """Answer with the timestamp as it was sent; the client measures with its own clock."""
        timestamp = message.get("timestamp")
        if isinstance(timestamp, dict | list):
            raise MalformedError("A timestamp is a string or a number.")
        await self.send_json({"type": "pong", "timestamp": timestamp})

    async def refresh_token(self, message: dict):
        """Go on with a new token of the same user; one that is no good leaves the old in force."""
        if not isinstance(message.get("token"), str):
            raise MalformedError("A token is a string.")
        try:
            claims = await averify(message["token"])
        except TokenError as error:
            raise MessageError("token_refused", str(error)) from error
        if claims["sub"] != self.user_id:
            raise MessageError("token_refused", "The token is another user's.")
        # First watched by its new authority, then looked up: so no word of its end is missed.
        self.authority = Authority.of(claims, self.org_id)
        if refusal := await self.refusal(self.authority):
            return await self.refuse(refusal)
        self.trust(claims)
        await self.send_json({"type": "token.refreshed", "expires_at": self.expires_at})

    answers = {"ping": ping, "token.refresh": refresh_token}

    @property
    def user_id(self) -> str:
        return self.scope["token"]["sub"]

    @property
    def expires_at(self) -> str:
        return datetime.fromtimestamp(self.scope["token"]["exp"], UTC).isoformat()

    async def send_json(self, frame: dict):
        await self.send(text_data=frames.encode(frame))
