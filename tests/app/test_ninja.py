"""What is particular to Django Ninja; `test_bearer.py` has what all views share."""

import pytest
from django.test import Client
from django.urls import path
from ninja import NinjaAPI
from ninja.security import APIKeyHeader

from demo.people import settle
from devrealm.issue import access_token
from realtime.integrations.ninja import TokenAuth, answer_refusals
from tests.app import rest_site

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.urls("tests.app.test_ninja"),
]


class Key(APIKeyHeader):
    param_name = "X-API-Key"

    def authenticate(self, request, key):
        return key == "open" and "a key"


two_ways = NinjaAPI(auth=[TokenAuth(), Key()], urls_namespace="two ways")
answer_refusals(two_ways)
without_the_line = NinjaAPI(auth=TokenAuth(), urls_namespace="without the line")


@two_ways.get("")
@without_the_line.get("")
def who(request):
    return {"by": request.auth if isinstance(request.auth, str) else "a token"}


urlpatterns = [path("two/", two_ways.urls), path("without/", without_the_line.urls)]


@pytest.fixture(autouse=True)
def people():
    settle()


def get(path, token=None, **headers):
    headers |= {"Authorization": f"Bearer {token}"} if token else {}
    return Client(headers=headers).get(path)


def test_request_without_a_token_is_left_to_the_next_class():
    key = {"X-API-Key": "open"}
    assert get("/two/", **key).json() == {"by": "a key"}
    assert get("/two/", access_token("alice"), **key).json() == {"by": "a token"}


def test_bad_token_is_refused_whatever_else_is_sent():
    answer = get("/two/", access_token("alice", lifespan=-60), **{"X-API-Key": "open"})
    assert (answer.status_code, answer.json()["error"]) == (401, "token_expired")


def test_status_and_sentence_are_right_without_the_line(settings):
    refused = get("/without/", access_token("alice", lifespan=-60))
    assert (refused.status_code, refused.json()) == (401, {"detail": "The token has expired."})
    settings.REALTIME_REQUEST_BURST = 1
    assert get("/without/", access_token("alice")).status_code == 200
    assert get("/without/", access_token("alice")).status_code == 429


def test_schema_shows_the_bearer_scheme():
    schema = rest_site.api.get_openapi_schema(path_prefix="/ninja/")
    assert schema["components"]["securitySchemes"] == {
        "TokenAuth": {"type": "http", "scheme": "bearer"}
    }
    assert schema["paths"]["/ninja/sync/"]["get"]["security"] == [{"TokenAuth": []}]
