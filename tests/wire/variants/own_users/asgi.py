import os

from channels.routing import ProtocolTypeRouter, URLRouter
from django.core.asgi import get_asgi_application
from django.urls import path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.wire.variants.own_users.settings")
django_application = get_asgi_application()

from realtime.authority.topics import Topic  # noqa: E402
from realtime.consumer import RealtimeConsumer  # noqa: E402
from realtime.middleware import AllowedOriginsValidator, JWTAuthMiddleware  # noqa: E402


class InboxTopic(Topic):
    name = "inbox"

    def key_in(self, scope):
        return scope["token"]["sub"]

    def allowed(self, pairs):
        return pairs


class InboxConsumer(RealtimeConsumer):
    topic = InboxTopic()
    greeting = "Connected."

    def established(self):
        user = self.scope["user"]
        return {"user": str(user.pk), "login": user.get_username()}


urlpatterns = [path("ws/inbox/", InboxConsumer.as_asgi())]
application = ProtocolTypeRouter(
    {
        "http": django_application,
        "websocket": AllowedOriginsValidator(JWTAuthMiddleware(URLRouter(urlpatterns))),
    }
)
