"""The application of these tests, for a server process."""

from django.core.asgi import get_asgi_application

get_asgi_application()  # it sets Django up, before the next import reaches a model

from .project import application  # noqa: E402

__all__ = ["application"]
