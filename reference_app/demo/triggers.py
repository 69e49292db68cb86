"""What the demo page can cause, and no deployment offers."""

import uuid

from asgiref.sync import async_to_sync
from django.http import JsonResponse

from api.consumers import broadcast_notification
from api.models import Membership, is_member
from api.tasks import process_document
from api.topics import organization_topic
from api.views import body_of
from devrealm.accounts import PEOPLE
from realtime.authority.users import end_session
from realtime.identity.tokens import session_of
from realtime.protocol.frames import MalformedError
from realtime.rest import error, with_token

from . import supervisor, worker
from .people import ORG_ID


@with_token("POST")
def notify(request):
    """Notify another person of the demo, in the caller's name."""
    try:
        to = PEOPLE.get(str(body_of(request).get("to")))
    except MalformedError as failure:
        return error(400, "bad_request", str(failure))
    if to is None:
        return error(400, "bad_request", "The body is an object whose `to` is a username.")
    sender = request.token["given_name"]
    note = {"title": f"Hello from {sender}", "body": f"For {to.given_name} only.", "from": sender}
    async_to_sync(broadcast_notification)(to.subject, note)
    return JsonResponse({"notification": note}, status=202)


@with_token("POST")
def task(request):
    """Queue the guide's task, which notifies the caller and tells the organization."""
    if not is_member(request.user, ORG_ID):
        return error(403, "forbidden", organization_topic.denied)
    worker.start()
    document = f"doc-{uuid.uuid4().hex[:4]}"
    process_document.delay(request.token["sub"], str(ORG_ID), document)
    return JsonResponse({"document": document}, status=202)


@with_token("POST", "DELETE")
def membership(request):
    """Make the caller a member of the demo's organization, or a member no longer."""
    mine = {"organization_id": ORG_ID, "user": request.user}
    if request.method == "POST":
        Membership.objects.get_or_create(**mine)
    else:
        # One `delete()` of rows sends the signals that an `update()` would not.
        Membership.objects.filter(**mine).delete()
    return JsonResponse({"is_member": request.method == "POST"})


@with_token("POST")
def sign_out(request):
    """End the caller's session as a logout at Keycloak does, which closes its sockets."""
    end_session(session_of(request.token))
    return JsonResponse({})


@with_token("POST")
def restart(request):
    """Stop this server as a deployment would, so that its supervisor starts another."""
    if not supervisor.is_supervised():
        message = "Nobody would start this server again. Serve it by manage.py demo."
        return error(409, "not_supervised", message)
    supervisor.stop()
    return JsonResponse({}, status=202)
