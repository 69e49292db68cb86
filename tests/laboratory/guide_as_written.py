"""The guide as written: its consumers and senders in Channels' own idiom, to see what they lose.

The guide names both consumers and shows their frames, their groups and how to send to them; the
bodies are those of Channels' tutorial. `daphne tests.laboratory.guide_as_written:application`.
"""

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncJsonWebsocketConsumer
from channels.layers import get_channel_layer
from channels.routing import ProtocolTypeRouter, URLRouter
from channels.security.websocket import AllowedHostsOriginValidator
from django.core.asgi import get_asgi_application
from django.urls import path

django_application = get_asgi_application()

from api.models import is_member  # noqa: E402
from realtime.middleware import JWTAuthMiddleware  # noqa: E402


class GroupConsumer(AsyncJsonWebsocketConsumer):
    """Joins a group, and passes on what is sent to it."""

    async def connect(self):
        if self.scope["refusal"]:
            return await self.close(code=4001)
        if not await self.may_listen():
            return await self.close(code=4003)
        self.group_name = self.group()
        await self.channel_layer.group_add(self.group_name, self.channel_name)
        await self.accept()
        await self.send_json({"type": "connection.established", "message": "Connected."})

    async def may_listen(self):
        return True

    async def disconnect(self, code):
        if hasattr(self, "group_name"):
            await self.channel_layer.group_discard(self.group_name, self.channel_name)


class NotificationConsumer(GroupConsumer):
    def group(self):
        return f"notifications_{self.scope['token']['sub']}"

    async def notification_message(self, event):
        await self.send_json({"type": "notification", "notification": event["notification"]})


class OrganizationEventsConsumer(GroupConsumer):
    def group(self):
        return f"org_{self.scope['url_route']['kwargs']['org_id']}"

    async def may_listen(self):
        org_id = self.scope["url_route"]["kwargs"]["org_id"]
        return await database_sync_to_async(is_member)(self.scope["user"], org_id)

    async def org_event(self, event):
        await self.send_json(
            {"type": "event", "event_type": event["event_type"], "data": event["data"]}
        )


async def broadcast_notification(user_id, notification):
    message = {"type": "notification.message", "notification": notification}
    await get_channel_layer().group_send(f"notifications_{user_id}", message)


async def broadcast_org_event(org_id, event_type, data):
    message = {"type": "org.event", "event_type": event_type, "data": data}
    await get_channel_layer().group_send(f"org_{org_id}", message)


application = ProtocolTypeRouter(
    {
        "http": django_application,
        "websocket": AllowedHostsOriginValidator(
            JWTAuthMiddleware(
                URLRouter(
                    [
                        path("ws/notifications/", NotificationConsumer.as_asgi()),
                        path("ws/events/<uuid:org_id>/", OrganizationEventsConsumer.as_asgi()),
                    ]
                )
            )
        ),
    }
)
