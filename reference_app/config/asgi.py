"""Everything a request or a socket passes through, outermost first."""

import os

from channels.routing import ProtocolTypeRouter
from django.conf import settings
from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.local")

# Django must be set up before the next imports reach a model.
django_application = get_asgi_application()

from api.routing import websocket_urlpatterns  # noqa: E402
from config.local_peers import LocalPeersOnly  # noqa: E402
from realtime.http.body_limit import BodyLimit  # noqa: E402
from realtime.http.request_queue import RequestQueue  # noqa: E402
from realtime.middleware import AllowedOriginsValidator, JWTAuthMiddleware  # noqa: E402
from realtime.monitoring.health import HealthMiddleware  # noqa: E402
from realtime.monitoring.metrics import MetricsMiddleware  # noqa: E402
from realtime.routing import SocketRouter  # noqa: E402

application = ProtocolTypeRouter(
    {
        "http": HealthMiddleware(
            MetricsMiddleware(
                BodyLimit(
                    RequestQueue(django_application),
                ),
            ),
        ),
        "websocket": AllowedOriginsValidator(
            JWTAuthMiddleware(
                SocketRouter(websocket_urlpatterns),
            ),
        ),
    }
)

if settings.LOCAL_ONLY:
    application = LocalPeersOnly(application, settings.LOCAL_ONLY)
