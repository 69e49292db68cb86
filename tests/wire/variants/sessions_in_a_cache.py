"""Settings under which sessions are kept in Redis alone."""

import os

from config.settings.local import *  # noqa: F403

SESSION_ENGINE = "django.contrib.sessions.backends.cache"
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": f"redis://127.0.0.1:{os.environ['REDIS_PORT']}",
    }
}
