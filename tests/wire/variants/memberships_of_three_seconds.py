"""Settings under which the core layer forgets a member after three seconds."""

from config.settings.local import *  # noqa: F403
from config.settings.local import CHANNEL_LAYERS

GROUP_EXPIRY = 3

CHANNEL_LAYERS["default"]["CONFIG"]["group_expiry"] = GROUP_EXPIRY
