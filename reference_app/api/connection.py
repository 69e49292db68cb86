"""The socket that outlives bad input and leaves nothing behind; both consumers stand on it."""

import asyncio
import logging
from contextlib import suppress
from datetime import UTC, datetime

from channels.consumer import get_handler_name
from channels.exceptions import ChannelFull, StopConsumer
from channels.generic.websocket import AsyncWebsocketConsumer
from channels.layers import get_channel_layer
from channels.utils import await_many_dispatch
from django.db import DatabaseError
from redis.exceptions import RedisError

from . import frames
from .close_codes import CloseCode, Refusal
from .middleware import SUBPROTOCOL

logger = logging.getLogger(__name__)

# What a channel layer raises when it, or the Redis under it, cannot do its work.
LAYER_ERRORS = (RedisError, ChannelFull, OSError)


class RealtimeConsumer(AsyncWebsocketConsumer):
    """One authenticated socket on one group; subclasses say who may join and what is sent.

    `handles` lists the types of group messages that a subclass declares a method for.
    """

    greeting: str
    # A tuple: what is looked for in it may be anything, also what cannot be hashed.
    handles: tuple[str, ...] = ()

    # What subclasses say

    def group_name(self) -> str:
        """Return the group that this socket hears."""
        raise NotImplementedError

    async def refusal(self) -> Refusal | None:
        """Return why the authenticated user may not join, or None."""
        return None

    def established(self) -> dict:
        """Return the keys that a subclass adds to the `connection.established` frame."""
        return {}

    # The life of a connection

    async def __call__(self, scope, receive, send):
        """Run one connection; whatever ends it, its membership ends with it."""
        self.scope, self.base_send = scope, send
        self.channel_layer = get_channel_layer(self.channel_layer_alias)
        self.channel_name, self.subscribed = None, asyncio.Event()
        self.is_closing = False
        try:
            await await_many_dispatch([receive, self.receive_from_layer], self.dispatch)
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
        """Run the method that the server's or the layer's message asks for.

        Channels' own hops to the database thread before each message, so that one slow query delays
        every socket's; here whoever queries goes through `database_sync_to_async`, which cleans up
        its connections itself.
        """
        await getattr(self, get_handler_name(message))(message)

    async def connect(self):
        self.user_id = (self.scope["token"] or {}).get("sub")
        refusal = self.scope["refusal"] or await self.refusal_or_unavailable()
        refusal = refusal or await self.join()
        await self.accept(SUBPROTOCOL if SUBPROTOCOL in self.scope["subprotocols"] else None)
        if refusal:
            return await self.refuse(refusal)
        await self.send_json(
            {
                "type": "connection.established",
                "message": self.greeting,
                "user_id": self.user_id,
                "expires_at": datetime.fromtimestamp(self.scope["token"]["exp"], UTC).isoformat(),
                **self.established(),
            }
        )

    async def refusal_or_unavailable(self) -> Refusal | None:
        try:
            return await self.refusal()
        except DatabaseError:
            logger.exception("No membership could be looked up")
            return Refusal(CloseCode.UNAVAILABLE, "The database is out of reach.")

    async def join(self) -> Refusal | None:
        """Enter the group; a layer out of reach is our fault, never the token's."""
        try:
            self.channel_name = await self.channel_layer.new_channel()
            self.subscribed.set()
            await self.channel_layer.group_add(self.group_name(), self.channel_name)
        except LAYER_ERRORS as error:
            logger.error("No group could be joined: %s", error)
            return Refusal(CloseCode.UNAVAILABLE, "The channel layer is out of reach.")

    async def leave(self):
        """Leave the group, also after an exception, where Channels would skip `disconnect()`."""
        if self.channel_name is None:
            return
        try:
            await self.channel_layer.group_discard(self.group_name(), self.channel_name)
        except LAYER_ERRORS as error:
            logger.error("A group could not be left, the membership will expire: %s", error)

    async def refuse(self, refusal: Refusal):
        """Say why in a last frame, then close; nothing else is sent on this socket."""
        if self.is_closing:
            return
        self.is_closing = True
        await self.send_json(refusal.frame())
        await self.close(refusal.code.value, refusal.reason)

    # From the client

    async def receive(self, text_data=None, bytes_data=None):
        if self.is_closing:
            return
        try:
            message = frames.message_in(text_data)
            answer = self.answers[message["type"]]
        except frames.MalformedError as error:
            await self.send_error("malformed", str(error))
        except KeyError:
            await self.send_error("unknown_type", "The message's type is not known here.")
        else:
            await answer(self, message)

    async def ping(self, message: dict):
        """Answer with the timestamp as it was sent; the client measures with its own clock."""
        timestamp = message.get("timestamp")
        if isinstance(timestamp, dict | list):
            return await self.send_error("malformed", "A timestamp is a string or a number.")
        await self.send_json({"type": "pong", "timestamp": timestamp})

    answers = {"ping": ping}

    async def send_error(self, code: str, message: str):
        await self.send_json({"type": "error", "code": code, "message": message})

    async def send_json(self, frame: dict):
        await self.send(text_data=frames.encode(frame))

    # From the channel layer

    async def receive_from_layer(self) -> dict:
        """Return the next group message in an envelope.

        The envelope keeps a group message from choosing the method that runs: its own type may be
        `websocket.disconnect`, `close`, or one that only a newer release knows.
        """
        await self.subscribed.wait()
        try:
            message = await self.channel_layer.receive(self.channel_name)
        except LAYER_ERRORS as error:
            logger.error("The channel layer is lost: %s", error)
            return {"type": "layer.lost"}
        return {"type": "layer.message", "message": message}

    async def layer_message(self, envelope: dict):
        message = envelope["message"]
        if self.is_closing:
            return
        if not isinstance(message, dict) or message.get("type") not in self.handles:
            return logger.warning("Ignored a group message of a type not handled here")
        await getattr(self, get_handler_name(message))(message)

    async def layer_lost(self, envelope: dict):
        self.subscribed.clear()
        await self.refuse(Refusal(CloseCode.UNAVAILABLE, "The channel layer is out of reach."))

    async def send_frame(self, message: dict):
        """Send the frame of a group message as it is: its sender has encoded it once for all."""
        if isinstance(message.get("frame"), str):
            await self.send(text_data=message["frame"])
        else:
            logger.warning("Ignored a group message without a frame")
