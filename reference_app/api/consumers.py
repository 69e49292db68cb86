"""The two endpoints of the guide, and the two functions that send to them."""

from . import frames
from .connection import RealtimeConsumer
from .groups import canonical_org_id, org_group, user_group
from .layer import send_after_commit


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
    await send_after_commit(group, {"type": message_type, "frame": frames.encode(frame)})
