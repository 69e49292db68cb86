"""A small REST API on the same token verification as the sockets."""

from typing import Any

from asgiref.sync import async_to_sync
from django.core.exceptions import ValidationError
from django.http import HttpRequest, JsonResponse

from realtime.http.history import history, mark_as_read
from realtime.http.pagination import listing
from realtime.protocol.frames import FrameTooLargeError, MalformedError, parse
from realtime.rest import error, with_token

from .consumers import broadcast_notification
from .models import Organization, SampleResource, is_member
from .topics import organization_topic, user_topic


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


def claimed_organizations(claims: dict) -> list[str]:
    """Return the aliases in the `organization` claim, sorted; the scope's mapper gives its shape.

    They tell what Keycloak thinks. Our database says who may listen to an organization: an alias is
    not its id, and a token outlives the membership that it claims.
    """
    claim = claims.get("organization")
    aliases = [claim] if isinstance(claim, str) else claim  # "acme", ["acme"], {"acme": {"id": …}}
    if not isinstance(aliases, list | dict):
        return []
    return sorted(alias for alias in aliases if isinstance(alias, str))


@with_token("GET")
def my_organizations(request):
    mine = Organization.objects.filter(members=request.user, is_active=True)
    return listing(request, "organizations", mine, "name", organization_as_json)


def organization_as_json(organization: Organization) -> dict:
    return {"id": str(organization.id), "name": organization.name}


@with_token("GET", "POST")
def my_notifications(request):
    if request.method == "GET":
        return history(request, user_topic, request.token["sub"])
    return notify_me(request)


@with_token("POST")
def read_notifications(request):
    return mark_as_read(request, user_topic, request.token["sub"])


def notify_me(request) -> JsonResponse:
    try:
        notification = body_of(request)
        if not isinstance(notification.get("title"), str):
            raise ValueError("A notification is a JSON object with a title.")
        async_to_sync(broadcast_notification)(request.token["sub"], notification)
    except FrameTooLargeError as failure:
        return error(413, "too_large", str(failure))
    except ValueError as failure:
        return error(400, "bad_request", str(failure))
    return JsonResponse({"notification": notification}, status=202)


@with_token("GET")
def events(request, org_id):
    if not is_member(request.user, org_id):
        return error(403, "forbidden", organization_topic.denied)
    return history(request, organization_topic, org_id)


@with_token("GET", "POST")
def resources(request, org_id):
    if not is_member(request.user, org_id):
        return error(403, "forbidden", organization_topic.denied)
    if request.method == "POST":
        return create_resource(request, org_id)
    rows = SampleResource.objects.filter(org_id=org_id)
    return listing(request, "resources", rows, "created_at", as_json)


def create_resource(request, org_id) -> JsonResponse:
    """Create the resource, of which the signal tells the organization."""
    try:
        name: Any = body_of(request).get("name")
    except MalformedError as failure:
        return error(400, "bad_request", str(failure))
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
    created_at = resource.created_at.isoformat()
    return {"id": str(resource.id), "name": resource.name, "created_at": created_at}


def body_of(request: HttpRequest) -> dict:
    """Return the JSON object in the body, or an empty one, or raise MalformedError."""
    body = parse(request.body)
    return body if isinstance(body, dict) else {}
