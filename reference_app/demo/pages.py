"""The demo page, on which a user who signs in sees the whole stack at work."""

from urllib.parse import urlsplit

from django.apps import apps
from django.conf import settings
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.clickjacking import xframe_options_exempt
from django.views.decorators.http import require_safe

from devrealm.accounts import PEOPLE
from realtime.identity.issuers import trusted_issuer

from . import supervisor
from .addresses import seen_from
from .people import ORG_ID


@xframe_options_exempt  # `frame-ancestors` goes first in browsers, and can say more
@require_safe
def demo(request):
    """Answer with the page, and with a policy that lets it run nothing but its own files."""
    response = render(request, "demo/demo.html", {"configuration": configuration(request.path)})
    response.headers["Content-Security-Policy"] = policy(request.get_host())
    return response


def configuration(page: str) -> dict:
    """Return what the page at this path has to know of its server.

    `devrealm` is null where a real Keycloak signs the tokens.
    """
    issuer = trusted_issuer()
    return {
        "issuer": issuer.issuer,
        "clientId": issuer.client_id,
        "devrealm": of_devrealm(page) if apps.is_installed("devrealm") else None,
    }


def of_devrealm(page: str) -> dict:
    """Return what the page has to know to sign the people of the demo in without a form."""
    return {
        "tokenEndpoint": seen_from(page, reverse("devrealm-token")),
        "orgId": str(ORG_ID),
        "people": [{"username": p.username, "name": p.name} for p in PEOPLE.values()],
        "canRestart": supervisor.is_supervised(),
    }


def policy(host: str) -> str:
    """Return a Content-Security-Policy without an exception for anything inline."""
    # Not every browser takes 'self' for sockets too.
    connect = ["'self'", f"ws://{host}", f"wss://{host}"]
    if not apps.is_installed("devrealm"):
        connect.append(origin_of(trusted_issuer().issuer))
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
