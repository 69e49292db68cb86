import logging
import os
import sys

from django.apps import AppConfig, apps
from django.conf import settings
from django.core.checks import Error, Tags, register
from django.db import connections, router

# Bytes of a handshake's header line: of all that Daphne lets a client send before it is known; and
# more than uvicorn's parser passes on, which answers the rest with HTTP 400.
LONGEST_LINE_ON_DAPHNE, LONGEST_LINE_ON_UVICORN = 65_536, 1_048_576


# The databases that `statements` knows, by Django's word for each.
SUPPORTED = {"postgresql": "PostgreSQL", "sqlite": "SQLite"}


class ApiConfig(AppConfig):
    name = "api"

    def ready(self):
        from . import signals  # noqa: F401  (connects the receivers)
        from .middleware import HideTokenFilter

        logging.getLogger("uvicorn.error").addFilter(HideTokenFilter())
        let_long_tokens_in()


def let_long_tokens_in() -> None:
    """Let a handshake's header line be as long as a token may be, with whatever stands beside it.

    Over 8 KB uvicorn's handshake hangs, because websockets gives up on the line and nobody answers;
    over 16 KB Daphne hangs up without an answer, because Twisted does. Our own answer is 4001.
    """
    # Read by websockets when it is imported, which has happened before or is going to.
    os.environ.setdefault("WEBSOCKETS_MAX_LINE_LENGTH", str(LONGEST_LINE_ON_UVICORN))
    if websockets := sys.modules.get("websockets.http11"):
        websockets.MAX_LINE_LENGTH = int(os.environ["WEBSOCKETS_MAX_LINE_LENGTH"])
    if twisted := sys.modules.get("twisted.web.http"):
        channel = twisted.HTTPChannel
        channel.MAX_LENGTH = channel.totalHeadersSize = LONGEST_LINE_ON_DAPHNE


@register(Tags.database)
def check_database(app_configs, databases, **kwargs):
    """Name the databases on which streams can be kept, before the first frame is sent."""
    alias = router.db_for_write(apps.get_model("api", "Entry"))
    if alias not in (databases or ()) or connections[alias].vendor in SUPPORTED:
        return []
    return [
        Error(
            f"Streams cannot be kept on {connections[alias].display_name}.",
            hint=f"Use {' or '.join(SUPPORTED.values())}, by a database router if it is another's.",
            id="api.E002",
        )
    ]


@register()
def check_identity_provider(app_configs, **kwargs):
    """Say which setting is missing before the first token is judged by an empty one."""
    return [
        Error(f"{name} is not set.", hint="Set it to your Keycloak realm's value.", id="api.E001")
        for name in ("KEYCLOAK_ISSUER", "KEYCLOAK_AUDIENCE")
        if not getattr(settings, name, "")
    ]
