import logging

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import Error, register


class ApiConfig(AppConfig):
    name = "api"

    def ready(self):
        from . import signals  # noqa: F401  (connects the receivers)
        from .middleware import HideTokenFilter

        logging.getLogger("uvicorn.error").addFilter(HideTokenFilter())


@register()
def check_identity_provider(app_configs, **kwargs):
    """Say which setting is missing before the first token is judged by an empty one."""
    return [
        Error(f"{name} is not set.", hint="Set it to your Keycloak realm's value.", id="api.E001")
        for name in ("KEYCLOAK_ISSUER", "KEYCLOAK_AUDIENCE")
        if not getattr(settings, name, "")
    ]
