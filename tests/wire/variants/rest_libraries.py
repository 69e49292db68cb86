"""The local settings with views of Django REST framework and Django Ninja."""

from config.settings.local import *  # noqa: F403

ROOT_URLCONF = "tests.app.rest_site"
