"""The life of one socket, from the handshake until everything it holds is released."""

import logging
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from channels.consumer import get_handler_name
from channels.exceptions import StopConsumer
from channels.generic.websocket import AsyncWebsocketConsumer
from channels.utils import await_many_dispatch
from django.db import DatabaseError
from django.dispatch import Signal

from ..authority.access import TOKEN_EXPIRED, Access, answer_of, denial_of, report_end
from ..authority.registry import registry
from ..authority.topics import Topic
from ..delivery.cursor import Cursor
from ..delivery.hub import hub
from ..delivery.resume import resume
from ..delivery.writer import Writer
from ..identity.tokens import LEEWAY
from ..layer.timeouts import LAYER_ERRORS
from ..protocol import frames
from ..protocol.close_codes import DATABASE_UNAVAILABLE, CloseCode, Refusal
from ..signals import connection_ended, frame_sent, handshake_ended
from .admission import admission, deadline_of, time_taken
from .carriers import selected_subprotocol
from .connection_ids import identify
from .expiry import Expiry
from .mailboxes import Mailbox
from .messages import ANSWERS, ClientMessages

logger = logging.getLogger(__name__)

# What RFC 6455, 7.4.1, calls a socket that ends without a close frame.
ABNORMAL = 1006

LAYER_UNAVAILABLE = Refusal(CloseCode.UNAVAILABLE, "The channel layer is out of reach.")
CONNECTING_TOO_SLOW = Refusal(CloseCode.UNAVAILABLE, "The server took too long to let you in.")


class Connection(AsyncWebsocketConsumer):
    """One authenticated socket on one stream of a topic."""

    topic: Topic
    # Set in the handshake. A socket that is refused before its key is known has none.
    access: Access
    # The message of the `connection.established` frame.
    greeting: str = "Connected."
    # By the type of a client's message, the function that answers it.
    answers = ANSWERS

    def established(self) -> dict:
        """Return the keys that a subclass adds to the `connection.established` frame."""
        return {}

    @property
    def user_id(self) -> str:
        return self.scope["token"]["sub"]

    @property
    def expires_at(self) -> str:
        return datetime.fromtimestamp(self.scope["token"]["exp"], UTC).isoformat()

    # The life of a connection

    async def __call__(self, scope, receive, send):
        """Run one connection.

        However it ends, the process holds nothing of it afterwards.
        """
        self.begin(scope, send)
        try:
            await await_many_dispatch([receive, self.mailbox.get], self.dispatch)
        except StopConsumer:
            pass
        except Exception:
            # The client may be gone; Daphne lets no application send 1011, and does it itself.
            with suppress(Exception):
                await self.refuse(Refusal(CloseCode.INTERNAL_ERROR, "The server made a mistake."))
            raise
        finally:
            self.report(connection_ended, code=self.code, was_let_in=self.was_let_in)
            await self.leave()

    def begin(self, scope, send) -> None:
        self.scope, self.base_send = scope, send
        identify(scope)
        deadline_of(scope)
        self.is_closing = self.was_let_in = False
        # The close code of the side that closed first.
        self.code: int = ABNORMAL
        self.cursor = Cursor(self, Writer(send))
        self.mailbox = Mailbox()
        self.expiry = Expiry(self.mailbox)
        self.messages = ClientMessages(self)

    def report(self, signal: Signal, **what: Any) -> None:
        """Send a signal about this connection, with the seconds since it began."""
        consumer, seconds = type(self).__name__, time_taken(self.scope)
        signal.send_robust(type(self), consumer=consumer, seconds=seconds, **what)

    async def dispatch(self, message):
        """Run the method for a message of the server or of the mailbox.

        Channels' own hops to the database thread before each message, so that one slow query delays
        every socket. Here, each query runs in one of `socket_threads`, and its connection is given
        back after it.
        """
        await getattr(self, get_handler_name(message))(message)

    async def connect(self):
        refusal = await self.admit()
        await self.accept(selected_subprotocol(self.scope))
        self.was_let_in = refusal is None
        outcome = refusal.code.name.lower() if refusal else "let_in"
        self.report(handshake_ended, outcome=outcome)
        if refusal:
            return await self.refuse(refusal)
        if self.is_closing:  # access has ended in the meantime; the mailbox knows why
            return
        self.adopt(self.scope["token"])
        await self.greet()
        self.cursor.follow(self.starting_point.place)

    async def greet(self) -> None:
        await self.send_json(
            {
                "type": "connection.established",
                "message": self.greeting,
                "user_id": self.user_id,
                "expires_at": self.expires_at,
                **self.established(),
                **self.starting_point.frame(),
            }
        )

    async def admit(self) -> Refusal | None:
        """Return why this socket may not listen, or None once it is on its stream."""
        try:
            async with admission(self.scope, "stream"):
                return self.scope["refusal"] or await self.enter()
        except TimeoutError:
            logger.error("Handshake timed out")
            return CONNECTING_TOO_SLOW

    async def enter(self) -> Refusal | None:
        """Register for revocations before checking access, so that none is missed in between."""
        try:
            key = self.topic.key_in(self.scope)
        except (TypeError, ValueError):
            return Refusal(CloseCode.FORBIDDEN, self.topic.denied)
        user = str(self.scope["user"].pk)
        session_key = self.scope.get("session_key")
        self.access = Access.of(self.scope["token"], self.topic, key, user, session_key)
        return await registry().enter(self) or await self.check_access() or await self.join()

    async def check_access(self) -> Refusal | None:
        """Return why this socket may not listen, or None."""
        mark = self.scope.pop("access_mark", None)
        try:
            if mark and mark == registry().mark():
                # Nothing has changed since the middleware found the user.
                pair = self.scope["user"], self.access.key
                return await denial_of((self.topic, *pair))
            answer = await answer_of(self.access)
            return answer.refusal if answer else DATABASE_UNAVAILABLE
        except DatabaseError as error:
            logger.error("Access check failed: database unavailable (%r)", error)
            return DATABASE_UNAVAILABLE

    async def join(self) -> Refusal | None:
        """Enter the stream, and find where the client resumes."""
        try:
            feed = await hub().enter(self.topic.stream(self.access.key), self.cursor)
            self.starting_point = await resume(feed, self.scope["query_string"])
        except LAYER_ERRORS as error:
            logger.error("Channel layer unavailable: %r", error)
            return LAYER_UNAVAILABLE
        except DatabaseError as error:
            logger.error("Stream could not be read: database unavailable (%r)", error)
            return DATABASE_UNAVAILABLE
        return None

    def adopt(self, claims: dict) -> None:
        """Adopt these claims, and close when they expire."""
        self.scope["token"] = claims
        self.access = self.access.renewed(claims)
        # No other clock than this site's decides when a session expires.
        self.expiry.schedule(claims["exp"] - (LEEWAY if self.access.session_key else 0))

    def expire_at(self, expires_at: int) -> None:
        """Follow another expiry of the session, unless the socket has ended."""
        if not self.is_closing:
            self.adopt(self.scope["token"] | {"exp": expires_at})

    async def receive(self, text_data=None, bytes_data=None):
        await self.messages.handle(text_data)

    async def send_json(self, frame: dict) -> None:
        await self.send(text_data=frames.encode(frame))
        frame_sent.send_robust(type(self), type=frame["type"])

    # The end

    def end(self, refusal: Refusal) -> None:
        """Deliver nothing from now on but a last frame and the close."""
        if not self.is_closing:
            self.stop_delivery()
            self.mailbox.put({"type": "connection.ended", "refusal": refusal})

    def tell(self, user: str, frame: dict) -> None:
        """Send a frame that is no entry after what is being sent, if the socket is this user's."""
        if self.access.user == user and not self.is_closing:
            self.mailbox.put({"type": "frame.told", "frame": frame})

    async def refuse(self, refusal: Refusal) -> None:
        """Say why in a last frame, then close.

        Nothing is sent after it.
        """
        if not self.is_closing:
            self.stop_delivery()
            await self.close_with(refusal)

    def stop_delivery(self) -> None:
        self.is_closing = True
        self.cursor.stop()

    async def close_with(self, refusal: Refusal) -> None:
        await self.send_json(refusal.frame())
        self.code = refusal.code
        await self.close(refusal.code.value, refusal.reason)

    async def websocket_disconnect(self, message):
        """Stop, as Channels' own does, but without the hop to the thread of the database."""
        if self.code == ABNORMAL:
            self.code = message["code"]
        await self.disconnect(message["code"])
        raise StopConsumer()

    async def leave(self) -> None:
        """Release everything, also after an exception, where Channels would skip `disconnect()`."""
        self.expiry.cancel()
        self.stop_delivery()
        if hasattr(self, "access"):
            await registry().leave(self)
        await hub().leave(self.cursor)

    # From the mailbox

    async def connection_ended(self, event: dict) -> None:
        await self.close_with(event["refusal"])

    async def frame_told(self, event: dict) -> None:
        if not self.is_closing:
            await self.send_json(event["frame"])

    async def token_expiring(self, event: dict) -> None:
        # A client cannot renew a session by a message, so it is not told.
        if not (self.is_closing or self.access.session_key):
            await self.send_json({"type": "token.expiring", "expires_at": self.expires_at})

    async def token_expired(self, event: dict) -> None:
        if self.access.session_key:
            registry().recheck(self)  # a request may have put the end off
        elif not self.is_closing:
            report_end(TOKEN_EXPIRED)
            await self.refuse(TOKEN_EXPIRED)
