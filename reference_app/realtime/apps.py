from django.apps import AppConfig


class RealtimeConfig(AppConfig):
    name = __package__
    # The one line to change in a copy that is renamed, beside the folder's name.
    label = "realtime"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self):
        from . import checks, receivers  # noqa: F401  (they connect themselves)
        from .monitoring import logs  # noqa: F401
        from .server.headers import allow_long_tokens, hide_tokens

        allow_long_tokens()
        hide_tokens()
