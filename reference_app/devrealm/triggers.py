"""What the demo page can cause, and no deployment offers."""

import uuid

from django.http import JsonResponse

from api.authority import NOT_A_MEMBER
from api.models import Membership, end_session, is_member
from api.tasks import process_document
from api.tokens import session_of
from api.views import error, with_token

from . import supervisor, worker
from .people import ORG_ID


@with_token("POST")
def task(request):
    """Queue the guide's task; its worker tells the caller and the organisation, if it is theirs."""
    if not is_member(request.user, ORG_ID):
        return error(403, "forbidden", NOT_A_MEMBER.reason)
    worker.start()
    document = f"doc-{uuid.uuid4().hex[:4]}"
    process_document.delay(request.token["sub"], str(ORG_ID), document)
    return JsonResponse({"document": document}, status=202)


@with_token("POST", "DELETE")
def membership(request):
    """Make the caller a member of the demo's organisation, or a member no longer."""
    mine = {"organization_id": ORG_ID, "user": request.user}
    if request.method == "POST":
        Membership.objects.get_or_create(**mine)
    else:
        # One `delete()` of rows sends the signals that an `update()` would not.
        Membership.objects.filter(**mine).delete()
    return JsonResponse({"is_member": request.method == "POST"})


@with_token("POST")
def sign_out(request):
    """End the caller's session, as Keycloak reports a logout; its sockets close everywhere."""
    end_session(session_of(request.token))
    return JsonResponse({})


@with_token("POST")
def restart(request):
    """Stop this server as a deployment would; whoever supervises it starts another."""
    if not supervisor.is_supervised():
        message = "Nobody would start this server again. Serve it by manage.py demo."
        return error(409, "not_supervised", message)
    supervisor.stop()
    return JsonResponse({}, status=202)
