"""Settings under which the core layer has a hundred places for a process, as Channels leaves it."""

from config.settings.local import *  # noqa: F403
from config.settings.local import CHANNEL_LAYERS

CHANNEL_LAYERS["default"]["CONFIG"].pop("capacity", None)
