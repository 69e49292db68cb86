"""The settings of production, where devrealm's key stands for Keycloak's."""

from config.settings.production import *  # noqa: F403
from config.settings.production import REALTIME_ISSUER

REALTIME_ISSUER = REALTIME_ISSUER | {"KEY_CLIENT": "devrealm.keys.DevrealmKeyClient"}
