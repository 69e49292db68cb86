"""The two endpoints of the guide, and the two functions that send to them."""

from .connection import RealtimeConsumer
from .groups import canonical_org_id, org_group, user_group
from .hub import message_of
from .layer import send_after_commit
from .streams import append


class NotificationConsumer(RealtimeConsumer):
    """Sends a user the user's own notifications."""

    greeting = "Connected to your notifications."

    def stream_name(self):
        return user_group(self.user_id)


class OrganizationEventsConsumer(RealtimeConsumer):
    """Sends a member the events of one organisation."""

    greeting = "Connected to the organization's events."

    def stream_name(self):
        return org_group(self.org_id)

    @property
    def org_id(self) -> str:
        return canonical_org_id(self.scope["url_route"]["kwargs"]["org_id"])

    def established(self):
        return {"org_id": self.org_id}


async def broadcast_notification(user_id: str, notification: dict) -> None:
    """Append a notification to a user's stream, and send it once the caller's transaction commits.

    `user_id` is the `sub` of the user's tokens. `notification` has a title and a body, and whatever
    else the page understands, such as a link; datetimes and UUIDs become strings. Raises TypeError
    or ValueError for what JSON cannot spell, and never fails for a layer that is out of reach: the
    row is what is delivered. Sync code calls it through `async_to_sync`.
    """
    frame = {"type": "notification", "notification": notification}
    await _broadcast(user_group(user_id), frame)


async def broadcast_org_event(org_id: str, event_type: str, data: dict) -> None:
    """Append an event to an organisation's stream, as `broadcast_notification` does to a user's.

    An `org_id` that is no UUID is nobody's: no path leads to it.
    """
    frame = {"type": "event", "event_type": event_type, "data": data}
    await _broadcast(org_group(org_id), frame)


async def _broadcast(stream: str, frame: dict) -> None:
    await send_after_commit(stream, lambda: message_of(stream, append(stream, frame)))
