"""A deployment has nothing embedded and nothing guessed. `manage.py check --deploy` passes."""

import os

from .base import *  # noqa: F403
from .environment import listed, setting, text
from .logs import logging_as

DEBUG = False
SECRET_KEY = setting(text, "DJANGO_SECRET_KEY")
ALLOWED_HOSTS = setting(listed, "DJANGO_ALLOWED_HOSTS")

if "LOG_FORMAT" not in os.environ:
    LOGGING = logging_as("text")

for required in ("DATABASE_URL", "KEYCLOAK_ISSUER", "KEYCLOAK_AUDIENCE"):
    setting(text, required)
if "REDIS_URL" not in os.environ:
    setting(text, "REDIS_HOST")

SECURE_SSL_REDIRECT = True
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")  # set by nginx, see deploy/
SECURE_HSTS_SECONDS = 31_536_000  # one year, the preload list's minimum
SECURE_HSTS_INCLUDE_SUBDOMAINS = True
SECURE_HSTS_PRELOAD = True
SESSION_COOKIE_SECURE = True
CSRF_COOKIE_SECURE = True
