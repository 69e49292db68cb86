"""What is particular to Django REST framework; `test_bearer.py` has what all views share."""

import pytest
from django.test import Client
from django.urls import path
from rest_framework.authentication import SessionAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.test import APIRequestFactory
from rest_framework.views import APIView

from demo.people import settle
from devrealm.issue import access_token
from realtime.integrations.rest_framework import TokenAuthentication

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.urls("tests.app.test_rest_framework"),
]


class OpenView(APIView):
    """Anyone may ask who they are."""

    authentication_classes = [TokenAuthentication, SessionAuthentication]

    def get(self, request):
        return Response({"user": request.user.get_username(), "claims": request.auth})

    post = get


class TokenSecondView(OpenView):
    authentication_classes = [SessionAuthentication, TokenAuthentication]


urlpatterns = [path("", OpenView.as_view()), path("second/", TokenSecondView.as_view())]


@pytest.fixture(autouse=True)
def people():
    settle()


def client(token=None):
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return Client(headers=headers, enforce_csrf_checks=True)


def test_request_without_a_token_is_left_to_the_next_class(django_user_model):
    carol = django_user_model.objects.create_user("carol")
    session = client()
    session.force_login(carol)
    assert session.get("/").json() == {"user": "carol", "claims": None}
    assert client().get("/").json() == {"user": "", "claims": None}


def test_token_is_asked_before_the_session_and_needs_no_csrf_token(django_user_model):
    both = client(access_token("alice"))
    both.force_login(django_user_model.objects.create_user("carol"))
    assert both.post("/").json()["claims"]["preferred_username"] == "alice"


def test_bad_token_is_refused_where_no_token_is_needed():
    assert client(access_token("alice", lifespan=-60)).get("/").status_code == 401


def test_second_class_answers_403_as_the_framework_has_it():
    answer = client(access_token("alice", lifespan=-60)).get("/second/")
    assert (answer.status_code, answer.json()["error"]) == (403, "token_expired")


def test_refusal_is_the_frameworks_own_exception_with_our_word():
    headers = {"Authorization": f"Bearer {access_token('alice', lifespan=-60)}"}
    request = Request(APIRequestFactory().get("/", headers=headers))
    with pytest.raises(AuthenticationFailed) as refusal:
        TokenAuthentication().authenticate(request)
    assert refusal.value.get_codes() == {"error": "token_expired", "message": "token_expired"}


def test_basic_credentials_are_no_token():
    request = Request(APIRequestFactory().get("/", headers={"Authorization": "Basic YTpi"}))
    assert TokenAuthentication().authenticate(request) is None
