"""Paths to consumers."""

from uuid import UUID

from django.urls import path, register_converter

from .consumers import NotificationConsumer, OrganizationEventsConsumer


class AnyUUIDConverter:
    """Takes every spelling of a UUID, where Django's `uuid` takes lower case with hyphens only."""

    regex = "[0-9a-fA-F-]{32,36}"

    def to_python(self, value: str) -> UUID:
        return UUID(value)

    def to_url(self, value: UUID | str) -> str:
        return str(value)


register_converter(AnyUUIDConverter, "any_uuid")

websocket_urlpatterns = [
    path("ws/notifications/", NotificationConsumer.as_asgi()),
    path("ws/events/<any_uuid:org_id>/", OrganizationEventsConsumer.as_asgi()),
]
