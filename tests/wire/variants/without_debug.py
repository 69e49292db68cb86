"""Settings without DEBUG, as a deployment has them, under which Django logs no query."""

from config.settings.local import *  # noqa: F403

DEBUG = False
