"""One view for each way to have a token verified, and all of them answer who called."""

from django.http import JsonResponse
from django.urls import path
from ninja import NinjaAPI
from rest_framework.permissions import IsAuthenticated
from rest_framework.response import Response
from rest_framework.views import APIView

from realtime.integrations.ninja import TokenAuth, answer_refusals
from realtime.integrations.rest_framework import TokenAuthentication
from realtime.rest import with_token


def who(user, claims) -> dict:
    return {"email": user.email, "subject": claims["sub"]}


@with_token("GET")
def plain(request):
    return JsonResponse(who(request.user, request.token))


class FrameworkView(APIView):
    authentication_classes = [TokenAuthentication]
    permission_classes = [IsAuthenticated]

    def get(self, request):
        return Response(who(request.user, request.auth))


api = NinjaAPI(auth=TokenAuth(), title="Who calls")
answer_refusals(api)


@api.get("/sync/")
def ninja(request):
    return who(request.user, request.auth)


@api.get("/async/")
async def async_ninja(request):
    return who(request.user, request.auth)


urlpatterns = [
    path("plain/", plain),
    path("framework/", FrameworkView.as_view()),
    path("ninja/", api.urls),
]

PLAIN = "/plain/"
LIBRARIES = {
    "Django REST framework": "/framework/",
    "Django Ninja, sync": "/ninja/sync/",
    "Django Ninja, async": "/ninja/async/",
}
EVERYWHERE = {"plain view": PLAIN} | LIBRARIES
