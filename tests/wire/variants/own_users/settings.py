import os

from config.settings.local import *  # noqa: F403
from config.settings.local import INSTALLED_APPS

NOT_COPIED = {"api", "demo", "devrealm"}
INSTALLED_APPS = [app for app in INSTALLED_APPS if app not in NOT_COPIED]
INSTALLED_APPS += ["tests.wire.variants.own_users"]
AUTH_USER_MODEL = f"own_users.{os.environ['OWN_USER']}"
ROOT_URLCONF = "tests.wire.variants.own_users.urls"
ASGI_APPLICATION = "tests.wire.variants.own_users.asgi.application"

if "OWN_FUNCTION" in os.environ:
    REALTIME_USER = os.environ["OWN_FUNCTION"]
