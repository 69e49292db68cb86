"""A small REST API on the same token verification as the sockets.

Every answer is JSON. An error is `{"error": word, "message": sentence}`.
"""

from functools import wraps

from asgiref.sync import async_to_sync
from django.core.exceptions import ValidationError
from django.http import HttpRequest, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from . import frames
from .consumers import broadcast_notification
from .models import Identity, Organization, SampleResource, end_session, is_member
from .tokens import (
    KeysUnavailableError,
    TokenError,
    claimed_organizations,
    verify,
    verify_logout,
)


def error(status: int, code: str, message: str, **headers: str) -> JsonResponse:
    return JsonResponse({"error": code, "message": message}, status=status, headers=headers)


def with_token(*methods: str):
    """Let a view see `request.user` and `request.token`, by the Authorization header alone."""

    def decorate(view):
        @csrf_exempt  # no cookie is read, so there is nothing a foreign page could ride on
        @wraps(view)
        def authenticated(request: HttpRequest, **kwargs) -> JsonResponse:
            if request.method not in methods:
                message = f"This address answers {' and '.join(methods)}."
                return error(405, "method_not_allowed", message, Allow=", ".join(methods))
            try:
                request.token = verify(bearer_token(request))
                request.user = Identity.objects.active_user(request.token)
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


@with_token("GET")
def who_am_i(request):
    return JsonResponse(
        {
            "user_id": request.token["sub"],
            "username": request.token.get("preferred_username"),
            "email": request.user.email,
            "claimed_organizations": claimed_organizations(request.token),
        }
    )


@csrf_exempt  # Keycloak calls it, with a signed token and no cookie
@require_POST
def backchannel_logout(request):
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


@with_token("GET")
def my_organizations(request):
    mine = Organization.objects.filter(members=request.user, is_active=True)
    return JsonResponse({"organizations": [{"id": str(o.id), "name": o.name} for o in mine]})


@with_token("POST")
def notify_me(request):
    notification = body_of(request)
    if not isinstance(notification.get("title"), str):
        return error(400, "bad_request", "A notification is a JSON object with a title.")
    try:
        async_to_sync(broadcast_notification)(request.token["sub"], notification)
    except frames.FrameTooLargeError as failure:
        return error(413, "too_large", str(failure))
    except ValueError as failure:
        return error(400, "bad_request", str(failure))
    return JsonResponse({"notification": notification}, status=202)


@with_token("GET", "POST")
def resources(request, org_id):
    if not is_member(request.user, org_id):
        return error(403, "forbidden", "You are not a member of this organization.")
    if request.method == "POST":
        return create_resource(org_id, body_of(request).get("name"))
    listed = SampleResource.objects.filter(org_id=org_id)
    return JsonResponse({"resources": [as_json(resource) for resource in listed]})


def create_resource(org_id, name) -> JsonResponse:
    """Create the resource; the signal tells the organisation."""
    if isinstance(name, str) and not name.isprintable():
        return error(400, "bad_request", "The name: Only what can be printed is a name.")
    resource = SampleResource(org_id=org_id, name=name)
    try:
        resource.full_clean()
    except ValidationError as failure:
        return error(400, "bad_request", "The name: " + " ".join(failure.messages))
    resource.save()
    return JsonResponse(as_json(resource), status=201)


def as_json(resource: SampleResource) -> dict:
    return {
        "id": str(resource.id),
        "name": resource.name,
        "created_at": resource.created_at.isoformat(),
    }


def body_of(request: HttpRequest) -> dict:
    """Return the JSON object in the body, or an empty one for anything else."""
    try:
        body = frames.parse(request.body)
    except frames.MalformedError:
        return {}
    return body if isinstance(body, dict) else {}
