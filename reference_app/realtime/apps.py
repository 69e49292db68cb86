from django.apps import AppConfig


class RealtimeConfig(AppConfig):
    name = __package__
    # The names of the tables begin with it. To rename the folder later, leave it as it is.
    label = "realtime"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self):
        from . import checks, receivers  # noqa: F401  (they connect themselves)
        from .monitoring import logs  # noqa: F401
        from .server.headers import allow_long_tokens, hide_tokens

        allow_long_tokens()
        hide_tokens()
