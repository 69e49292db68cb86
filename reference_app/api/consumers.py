"""The two endpoints of the guide, and the two functions that send to them."""

import asyncio
import logging
from functools import partial

from asgiref.sync import async_to_sync, sync_to_async
from channels.db import database_sync_to_async
from channels.layers import get_channel_layer
from django.db import transaction

from . import frames
from .close_codes import CloseCode, Refusal
from .connection import LAYER_ERRORS, RealtimeConsumer
from .groups import canonical_org_id, org_group, user_group
from .models import is_member

logger = logging.getLogger(__name__)

# Seconds that a broadcast may keep its caller waiting for a layer that does not answer.
SEND_TIMEOUT = 2


class NotificationConsumer(RealtimeConsumer):
    """Sends a user the user's own notifications."""

    greeting = "Connected to your notifications."
    handles = ("notification.message",)

    def group_name(self):
        return user_group(self.user_id)

    async def notification_message(self, message):
        await self.send_frame(message)


class OrganizationEventsConsumer(RealtimeConsumer):
    """Sends a member the events of one organisation."""

    greeting = "Connected to the organization's events."
    handles = ("org.event",)

    def group_name(self):
        return org_group(self.org_id)

    @property
    def org_id(self) -> str:
        return canonical_org_id(self.scope["url_route"]["kwargs"]["org_id"])

    async def refusal(self):
        if not await database_sync_to_async(is_member)(self.scope["user"], self.org_id):
            return Refusal(CloseCode.FORBIDDEN, "You are not a member of this organization.")

    def established(self):
        return {"org_id": self.org_id}

    async def org_event(self, message):
        await self.send_frame(message)


async def broadcast_notification(user_id: str, notification: dict) -> None:
    """Send a notification to every open socket of one user, once the caller's transaction commits.

    `user_id` is the `sub` of the user's tokens. `notification` has a title and a body, and whatever
    else the page understands, such as a link; datetimes and UUIDs become strings. Raises TypeError
    or ValueError for what JSON cannot spell. Sync code calls it through `async_to_sync`.
    """
    frame = {"type": "notification", "notification": notification}
    await _broadcast(user_group(user_id), "notification.message", frame)


async def broadcast_org_event(org_id: str, event_type: str, data: dict) -> None:
    """Send an event to every member connected to an organisation, as `broadcast_notification` does.

    An `org_id` that is no UUID is nobody's: no path leads to it.
    """
    frame = {"type": "event", "event_type": event_type, "data": data}
    await _broadcast(org_group(org_id), "org.event", frame)


async def _broadcast(group: str, message_type: str, frame: dict) -> None:
    text = frames.encode(frame)
    send = partial(_send, group, {"type": message_type, "frame": text})
    if not await sync_to_async(_send_on_commit)(send):
        await send()


def _send_on_commit(send) -> bool:
    """Leave `send` to the transaction that the caller's thread is in, if it is in one.

    `async_to_sync` runs this in the thread it was called from, so the transaction is the caller's.
    """
    if not transaction.get_connection().in_atomic_block:
        return False
    transaction.on_commit(async_to_sync(send))
    return True


async def _send(group: str, message: dict) -> None:
    """Hand the message to the layer; a layer that is down must not fail the caller's work."""
    try:
        async with asyncio.timeout(SEND_TIMEOUT):
            await get_channel_layer().group_send(group, message)
    except LAYER_ERRORS as error:
        logger.error("A message for %s was not sent: %s", group, str(error) or type(error).__name__)
