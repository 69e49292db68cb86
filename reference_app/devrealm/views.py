"""The three endpoints of a realm that a client of it needs."""

import re

from django.http import JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_POST

from realtime.identity.issuers import trusted_issuer

from .accounts import PEOPLE
from .issue import CLIENT_ID, LIFESPAN, access_token
from .keys import key_set


@require_GET
def discovery(request):
    """Answer as OpenID Connect Discovery 1.0 asks, with Keycloak's paths."""
    protocol = f"{trusted_issuer().issuer}/protocol/openid-connect"
    return JsonResponse(
        {
            "issuer": trusted_issuer().issuer,
            "token_endpoint": f"{protocol}/token",
            "jwks_uri": f"{protocol}/certs",
            "grant_types_supported": ["password"],
            "id_token_signing_alg_values_supported": ["RS256"],
        }
    )


@require_GET
def certs(request):
    return JsonResponse(key_set())


@csrf_exempt  # a client calls it, with a password and no cookie
@require_POST
def token(request):
    """Give a demo user a token for a password (RFC 6749, 4.3); the password is the username.

    Not in Keycloak: the form may ask for a shorter `lifespan`, in seconds.
    """
    form = request.POST
    if form.get("grant_type") != "password":
        return failure(400, "unsupported_grant_type", "Unsupported grant_type")
    if form.get("client_id") != CLIENT_ID:
        return failure(401, "invalid_client", "Invalid client or Invalid client credentials")
    username = form.get("username")
    if username not in PEOPLE or form.get("password") != username:
        return failure(401, "invalid_grant", "Invalid user credentials")
    lifespan = lifespan_in(form)
    if not 1 <= lifespan <= LIFESPAN:
        return failure(400, "invalid_request", f"A lifespan is from 1 to {LIFESPAN} seconds")
    return JsonResponse(
        {
            "access_token": access_token(username, lifespan),
            "expires_in": lifespan,
            "token_type": "Bearer",
            "not-before-policy": 0,
            "scope": "openid email profile",
        }
    )


def lifespan_in(form) -> int:
    """Return the lifespan that a form asks for, 0 for what is none."""
    asked = form.get("lifespan", str(LIFESPAN))
    return int(asked) if re.fullmatch("[0-9]{1,9}", asked) else 0


def failure(status: int, error: str, description: str) -> JsonResponse:
    return JsonResponse({"error": error, "error_description": description}, status=status)
