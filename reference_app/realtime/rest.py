"""Plain Django views behind the same token verification as the sockets.

Every answer is JSON. An error is `{"error": word, "message": sentence}`.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from .authority.users import active_user, end_session
from .identity.errors import KeysUnavailableError, TokenError
from .identity.tokens import verify, verify_logout


def error(status: int, code: str, message: str, **headers: str) -> JsonResponse:
    return JsonResponse({"error": code, "message": message}, status=status, headers=headers)


def with_token(*methods: str) -> Callable:
    """Let a view see `request.user` and `request.token`, by the Authorization header alone."""

    def decorate(view):
        @csrf_exempt  # no cookie is read, so a page of another site has nothing to misuse
        @wraps(view)
        def authenticated(request: Any, **kwargs) -> JsonResponse:
            if request.method not in methods:
                message = f"This address answers {' and '.join(methods)}."
                return error(405, "method_not_allowed", message, Allow=", ".join(methods))
            try:
                request.token = verify(bearer_token(request))
                request.user = active_user(request.token)
            except KeysUnavailableError as failure:
                return error(503, failure.code, str(failure))
            except TokenError as failure:
                # RFC 6750, 3: the scheme that would be accepted.
                return error(401, failure.code, str(failure), **{"WWW-Authenticate": "Bearer"})
            return view(request, **kwargs)

        return authenticated

    return decorate


def bearer_token(request: HttpRequest) -> str:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


@csrf_exempt  # the issuer calls it, with a signed token and no cookie
@require_POST
def backchannel_logout(request: HttpRequest) -> JsonResponse:
    """End the session that a `logout_token` names; its sockets close in every process.

    Enter this address in Keycloak as the client's "Backchannel logout URL". The answers are those
    of OpenID Connect Back-Channel Logout 1.0, 2.8.
    """
    try:
        end_session(verify_logout(request.POST.get("logout_token", "")))
    except KeysUnavailableError as failure:
        return error(503, failure.code, str(failure))
    except TokenError as failure:
        return error(400, failure.code, str(failure))
    return JsonResponse({}, headers={"Cache-Control": "no-store"})
