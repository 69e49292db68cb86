import logging
import os
import sys

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import Error, register

# Bytes of a handshake's header line: of all that Daphne lets a client send before it is known; and
# more than uvicorn's parser passes on, which answers the rest with HTTP 400.
LONGEST_LINE_ON_DAPHNE, LONGEST_LINE_ON_UVICORN = 65_536, 1_048_576


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


@register()
def check_identity_provider(app_configs, **kwargs):
    """Say which setting is missing before the first token is judged by an empty one."""
    return [
        Error(f"{name} is not set.", hint="Set it to your Keycloak realm's value.", id="api.E001")
        for name in ("KEYCLOAK_ISSUER", "KEYCLOAK_AUDIENCE")
        if not getattr(settings, name, "")
    ]
