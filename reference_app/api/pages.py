"""The demo page: the whole stack at work, for whoever signs in."""

from urllib.parse import urlsplit

from django.apps import apps
from django.conf import settings
from django.shortcuts import render
from django.views.decorators.clickjacking import xframe_options_exempt
from django.views.decorators.http import require_safe


@xframe_options_exempt  # `frame-ancestors` goes first in browsers, and can say more
@require_safe
def demo(request):
    """Answer with the page, and with a policy that lets it run nothing but its own files."""
    response = render(request, "api/demo.html", {"configuration": configuration()})
    response.headers["Content-Security-Policy"] = policy(request.get_host())
    return response


def configuration() -> dict:
    """Return what the page has to know of this server.

    `devrealm` is null where a real Keycloak signs the tokens.
    """
    devrealm = apps.get_app_config("devrealm") if apps.is_installed("devrealm") else None
    return {
        "issuer": settings.KEYCLOAK_ISSUER,
        "clientId": getattr(settings, "KEYCLOAK_CLIENT_ID", "") or settings.KEYCLOAK_AUDIENCE,
        "devrealm": devrealm.for_the_page() if devrealm else None,
    }


def policy(host: str) -> str:
    """Return a Content-Security-Policy without an exception for anything inline."""
    # Not every browser takes 'self' for sockets too.
    connect = ["'self'", f"ws://{host}", f"wss://{host}"]
    if not apps.is_installed("devrealm"):
        connect.append(origin_of(settings.KEYCLOAK_ISSUER))
    # JupyterLab shows the page from another port of a laptop.
    laptop = ["http://localhost:*", "http://127.0.0.1:*"] if settings.DEBUG else []
    directives = {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "connect-src": connect,
        "img-src": ["'self'", "data:"],
        "base-uri": ["'none'"],
        "form-action": ["'none'"],
        "frame-ancestors": ["'self'", *laptop],
    }
    return "; ".join(" ".join([name, *sources]) for name, sources in directives.items())


def origin_of(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
