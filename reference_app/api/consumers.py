"""The two endpoints of the guide, and the two functions that send to them."""

from collections.abc import Mapping
from uuid import UUID

from realtime.consumer import RealtimeConsumer
from realtime.delivery.outbox import Outgoing
from realtime.senders import broadcast_many, outgoing

from .topics import organization_topic, user_topic


class NotificationConsumer(RealtimeConsumer):
    """Sends a user the user's own notifications."""

    topic = user_topic
    greeting = "Connected to your notifications."


class OrganizationEventsConsumer(RealtimeConsumer):
    """Sends a member the events of one organization."""

    topic = organization_topic
    greeting = "Connected to the organization's events."

    def established(self):
        return {"org_id": self.key}


async def broadcast_notification(user_id: UUID | str, notification: dict) -> None:
    """Send a notification to a user, at once or when the caller's transaction commits.

    `user_id` is the `sub` of the user's tokens, as a string or a UUID. `notification` has a title
    and a body, and what else the page understands, such as a link; datetimes and UUIDs become
    strings. Sync code calls this through `async_to_sync`.

    Raises TypeError or ValueError for a recipient or a notification that cannot be sent, see
    `realtime.senders.outgoing`, and DatabaseError where it could not be written. A channel layer
    that is out of reach raises nothing: the row is written, and is delivered later.
    """
    await broadcast_many([notification_for(user_id, notification)])


async def broadcast_org_event(org_id: UUID | str, event_type: str, data: dict) -> None:
    """Send an event to the members of an organization, as `broadcast_notification` to a user.

    `org_id` is the organization's id, as a UUID or as a string in any spelling of it.
    """
    await broadcast_many([org_event_for(org_id, event_type, data)])


def notification_for(user_id: UUID | str, notification: dict) -> Outgoing:
    """Return a notification for `broadcast_many`.

    Raises TypeError or ValueError, as `broadcast_notification` does.
    """
    if not isinstance(notification, Mapping):
        raise TypeError(f"A notification is a dict, not {type(notification).__name__}.")
    return outgoing(user_topic, user_id, {"type": "notification", "notification": notification})


def org_event_for(org_id: UUID | str, event_type: str, data: dict) -> Outgoing:
    """Return an organization's event for `broadcast_many`.

    Raises what `notification_for` raises, and TypeError where the event's type is no string.
    """
    if not isinstance(event_type, str):
        raise TypeError(f"An event's type is a string, not {type(event_type).__name__}.")
    frame = {"type": "event", "event_type": event_type, "data": data}
    return outgoing(organization_topic, org_id, frame)
