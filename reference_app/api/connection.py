"""The socket that outlives bad input, and ends with its authority; both consumers stand on it."""

import logging
from contextlib import suppress

from channels.consumer import get_handler_name
from channels.exceptions import StopConsumer
from channels.generic.websocket import AsyncWebsocketConsumer
from channels.utils import await_many_dispatch
from django.db import DatabaseError

from .admission import admission
from .authority import Authority, standing_of
from .close_codes import CloseCode, Refusal
from .conversation import Conversation
from .cursor import Cursor
from .expiry import Expiry
from .hub import hub
from .inbox import Inbox
from .layer import LAYER_ERRORS
from .middleware import SUBPROTOCOL
from .outlet import Outlet
from .resume import start
from .watch import watch

logger = logging.getLogger(__name__)

LAYER_UNAVAILABLE = Refusal(CloseCode.UNAVAILABLE, "The channel layer is out of reach.")
DATABASE_UNAVAILABLE = Refusal(CloseCode.UNAVAILABLE, "The database is out of reach.")
CONNECTING_TOO_SLOW = Refusal(CloseCode.UNAVAILABLE, "The server took too long to let you in.")
TOKEN_EXPIRED = Refusal(CloseCode.UNAUTHORIZED, "The token has expired.")


class RealtimeConsumer(Conversation, AsyncWebsocketConsumer):
    """One authenticated socket on one stream; subclasses say on which, and who may listen."""

    greeting: str
    # The organisation whose members may listen; None where every user may.
    org_id: str | None = None

    def stream_name(self) -> str:
        """Return the stream that this socket follows."""
        raise NotImplementedError

    def established(self) -> dict:
        """Return the keys that a subclass adds to the `connection.established` frame."""
        return {}

    # The life of a connection

    async def __call__(self, scope, receive, send):
        """Run one connection; whatever ends it, the process holds nothing of it afterwards."""
        self.scope, self.base_send = scope, send
        self.authority, self.is_closing = None, False
        self.cursor = Cursor(self, Outlet(send))
        self.inbox = Inbox()
        self.expiry = Expiry(self.inbox)
        self.start_conversation()
        try:
            await await_many_dispatch([receive, self.inbox.get], self.dispatch)
        except StopConsumer:
            pass
        except Exception:
            # The client may be gone; Daphne lets no application send 1011, and does it itself.
            with suppress(Exception):
                await self.refuse(Refusal(CloseCode.INTERNAL_ERROR, "The server made a mistake."))
            raise
        finally:
            await self.leave()

    async def dispatch(self, message):
        """Run the method that the message of server or inbox asks for.

        Channels' own hops to the database thread before each message, so that one slow query delays
        every socket's; here whoever queries goes through `database_sync_to_async`, which cleans up
        its connections itself.
        """
        await getattr(self, get_handler_name(message))(message)

    async def connect(self):
        refusal = await self.refusal_in_time()
        await self.accept(SUBPROTOCOL if SUBPROTOCOL in self.scope["subprotocols"] else None)
        if refusal:
            return await self.refuse(refusal)
        if self.is_closing:  # the authority ended meanwhile; the inbox knows why
            return
        self.trust(self.scope["token"])
        await self.send_json(
            {
                "type": "connection.established",
                "message": self.greeting,
                "user_id": self.user_id,
                "expires_at": self.expires_at,
                **self.established(),
                **self.start.frame(),
            }
        )
        self.cursor.follow(self.start.place)

    async def refusal_in_time(self) -> Refusal | None:
        """Return why this socket may not listen, or None once it is joined and watched."""
        try:
            async with admission(self.scope, "stream"):
                return self.scope["refusal"] or await self.enter()
        except TimeoutError:
            logger.error("A socket was not let in within the time for connecting")
            return CONNECTING_TOO_SLOW

    async def enter(self) -> Refusal | None:
        """Be watched first, so that nothing falls between the look-up and the word of its end."""
        self.authority = Authority.of(self.scope["token"], self.org_id)
        return await watch().enter(self) or await self.refusal(self.authority) or await self.join()

    async def refusal(self, authority: Authority) -> Refusal | None:
        """Return why sockets of this authority may not listen, or None."""
        try:
            return (await standing_of(authority)).refusal
        except DatabaseError:
            logger.exception("No membership could be looked up")
            return DATABASE_UNAVAILABLE

    async def join(self) -> Refusal | None:
        """Enter the stream; a layer out of reach is our fault, never the token's."""
        try:
            feed = await hub().enter(self.stream_name(), self.cursor)
            self.start = await start(feed, self.scope["query_string"])
        except LAYER_ERRORS as error:
            logger.error("No group could be joined: %r", error)
            return LAYER_UNAVAILABLE
        except DatabaseError:
            logger.exception("A stream could not be read")
            return DATABASE_UNAVAILABLE

    def trust(self, claims: dict) -> None:
        """Let the socket live by these claims, until they expire."""
        self.scope["token"] = claims
        self.authority = Authority.of(claims, self.org_id)
        self.expiry.foresee(claims["exp"])

    def end(self, refusal: Refusal) -> None:
        """Deliver nothing from now on; the last frame and the close follow."""
        if not self.is_closing:
            self.fall_silent()
            self.inbox.put({"type": "connection.ended", "refusal": refusal})

    async def refuse(self, refusal: Refusal):
        """Say why in a last frame, then close; nothing else is sent on this socket."""
        if not self.is_closing:
            self.fall_silent()
            await self.close_with(refusal)

    def fall_silent(self) -> None:
        self.is_closing = True
        self.cursor.stop()

    async def close_with(self, refusal: Refusal):
        await self.send_json(refusal.frame())
        await self.close(refusal.code.value, refusal.reason)

    async def websocket_disconnect(self, message):
        """Stop, as Channels' own does, but for the hop to the thread of the database."""
        await self.disconnect(message["code"])
        raise StopConsumer()

    async def leave(self):
        """Leave everything, also after an exception, where Channels would skip `disconnect()`."""
        self.expiry.forget()
        self.cursor.stop()
        if self.authority:
            await watch().leave(self)
        await hub().leave(self.cursor)

    # From the inbox

    async def connection_ended(self, event: dict):
        await self.close_with(event["refusal"])

    async def token_expiring(self, event: dict):
        if not self.is_closing:
            await self.send_json({"type": "token.expiring", "expires_at": self.expires_at})

    async def token_expired(self, event: dict):
        await self.refuse(TOKEN_EXPIRED)
