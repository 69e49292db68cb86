"""A laptop has embedded parts, each replaced by the real one when the environment names it."""

import os
import sys

from .base import *  # noqa: F403
from .base import CHANNEL_LAYER, DATA_DIR, INSTALLED_APPS, REALTIME_ISSUER, redis_layer
from .environment import boolean, setting

DEBUG = True
SECRET_KEY = "local-only: sessions and CSRF of a laptop, never of a deployment"
ALLOWED_HOSTS = ["localhost", "127.0.0.1", "[::1]", "testserver"]

# With DEBUG, a public SECRET_KEY and tokens for anyone, other machines are refused, unless you ask
# for them: to try the page on a phone, for example.
if setting(boolean, "LOCAL_NETWORK", default=False):
    ALLOWED_HOSTS = ["*"]
else:
    LOCAL_ONLY = (
        "These settings are for one machine: use config.settings.production, or LOCAL_NETWORK=1."
    )

# A proxy on this machine, such as jupyter-server-proxy, may serve pages to a browser elsewhere. It
# decides who comes in. It passes on the host and the scheme that the browser sees, which the Origin
# of a socket has to be equal to. Other machines are still refused.
if setting(boolean, "LOCAL_PROXY", default=False):
    ALLOWED_HOSTS = ["*"]
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

try:
    DATA_DIR.mkdir(parents=True, exist_ok=True)
except OSError as error:
    raise SystemExit(
        f"DATA_DIR {DATA_DIR} cannot be made ({error.strerror}). "
        "Set DATA_DIR to a folder that you may write to."
    ) from None

if not os.environ.keys() & {"REDIS_HOST", "REDIS_URL"}:
    # The real channel layer, over a Redis that lives in this process.
    import fakeredis

    CHANNEL_LAYERS = redis_layer(
        CHANNEL_LAYER,
        {
            "connection_class": fakeredis.FakeAsyncRedisConnection,
            "server": fakeredis.FakeServer(),
        },
    )
    if CHANNEL_LAYER == "core":
        CHANNEL_LAYERS["default"]["BACKEND"] = "realtime.layer.embedded.EmbeddedRedisChannelLayer"
    if "CELERY_BROKER_URL" not in os.environ:
        CELERY_BROKER_URL = "memory://localhost"

if not REALTIME_ISSUER["ISSUER"]:
    # The stand-in for Keycloak. Its keys are read in process: its own port is not known yet.
    INSTALLED_APPS = [*INSTALLED_APPS, "devrealm"]
    REALTIME_ISSUER = {
        "ISSUER": "http://localhost:8000/realms/demo",
        "AUDIENCE": "reference-app",
        "CLIENT_ID": "web",
        "KEY_CLIENT": "devrealm.keys.DevrealmKeyClient",
    }
elif sys.argv[1:2] == ["demo"]:
    sys.exit(
        "manage.py demo brings its own people, who are unknown to KEYCLOAK_ISSUER. Unset that, or "
        "run manage.py migrate and manage.py runserver."
    )
