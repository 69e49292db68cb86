import json
from datetime import timedelta

import pytest
from asgiref.sync import sync_to_async
from django.test import Client
from django.utils import timezone

from api.models import Organization, SampleResource
from demo.people import ORG_ID, settle
from devrealm.accounts import PEOPLE
from devrealm.issue import access_token
from realtime.authority.users import end_session
from realtime.conf import conf
from realtime.identity.tokens import LOGOUT_EVENT
from realtime.models import EndedSession, Identity
from tests.app.dialogue import EVENTS, NOTIFICATIONS, established
from tests.app.issuer import use_keys_of
from tests.app.test_tokens import logout_token

pytestmark = pytest.mark.django_db(transaction=True)

ROWS = conf.ROWS_PER_ANSWER

# Cancelling a read of the core layer in process waits the read out, 5 s.
ON_PUBSUB = pytest.mark.parametrize("layer", ["pubsub"], indirect=True)

LOGOUT = "/api/backchannel-logout/"
ME, MINE, NOTIFY = "/api/me/", "/api/me/organizations/", "/api/me/notifications/"
RESOURCES = f"/api/organizations/{ORG_ID}/resources/"


@pytest.fixture(autouse=True)
def organization():
    return settle()


def client(username=None, token=None):
    token = token or (username and access_token(username))
    # A foreign page could ride on a cookie, so this API asks for none, and for no CSRF token.
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return Client(headers=headers, enforce_csrf_checks=True)


def post(username, path, body):
    return client(username).post(path, body, content_type="application/json")


def assert_refused(response, status, word):
    assert response.status_code == status
    assert set(response.json()) == {"error", "message"}
    assert response.json()["error"] == word
    assert response.json()["message"].endswith(".")


def test_who_am_i():
    assert client("alice").get(ME).json() == {
        "user_id": PEOPLE["alice"].subject,
        "username": "alice",
        "email": "alice@example.com",
        "claimed_organizations": [],
    }


def test_my_organizations_are_those_i_belong_to():
    Organization.objects.create(name="Other")
    mine = [{"id": str(ORG_ID), "name": "Acme Incorporated"}]
    assert client("alice").get(MINE).json() == {"organizations": mine, "next": None}
    assert client("mallory").get(MINE).json() == {"organizations": [], "next": None}


def test_inactive_organization_is_nobodys(organization):
    organization.is_active = False
    organization.save()
    assert client("alice").get(MINE).json() == {"organizations": [], "next": None}
    assert_refused(client("alice").get(RESOURCES), 403, "forbidden")


def test_member_creates_and_lists_resources():
    created = post("alice", RESOURCES, {"name": "Plan"})
    assert created.status_code == 201
    assert set(created.json()) == {"id", "name", "created_at"}
    SampleResource.objects.create(name="Secret", org=Organization.objects.create(name="Other"))
    assert client("bob").get(RESOURCES).json() == {"resources": [created.json()], "next": None}


def pages_of(path, name, between=lambda page: None):
    """Return the pages of a list, and do something after each."""
    pages, after = [], ""
    while after is not None:
        answer = client("alice").get(path, {"after": after} if after else {}).json()
        pages.append([row["name"] for row in answer[name]])
        after = answer["next"]
        between(len(pages))
    return pages


@pytest.fixture
def two_and_a_half_pages(organization):
    """Resources of which many were made at the same moment, as in one transaction."""
    begin = timezone.now()
    rows = [SampleResource(org=organization, name=f"{n:03}") for n in range(5 * ROWS // 2)]
    SampleResource.objects.bulk_create(rows)
    for number, row in enumerate(rows):
        row.created_at = begin + timedelta(microseconds=number // 7)
    SampleResource.objects.bulk_update(rows, ["created_at"])
    return rows


def test_list_comes_in_pages_each_row_once(two_and_a_half_pages):
    pages = pages_of(RESOURCES, "resources")
    assert [len(page) for page in pages] == [ROWS, ROWS, ROWS // 2]
    assert sorted(sum(pages, [])) == [row.name for row in two_and_a_half_pages]


def test_rows_that_come_and_go_move_no_other_to_another_page(organization, two_and_a_half_pages):
    def change(page):
        first = SampleResource.objects.order_by("created_at", "pk").first()
        early = SampleResource.objects.create(org=organization, name=f"early {page}")
        SampleResource.objects.filter(pk=early.pk).update(created_at=first.created_at)
        SampleResource.objects.create(org=organization, name=f"late {page}")
        # Also the one that the next page begins after.
        in_order = SampleResource.objects.order_by("created_at", "pk")
        seen = in_order.exclude(name__contains="a").values_list("pk", flat=True)[ROWS - 2 : ROWS]
        SampleResource.objects.filter(pk__in=[*seen]).delete()

    read = sum(pages_of(RESOURCES, "resources", change), [])
    usual = [row.name for row in two_and_a_half_pages]
    assert len(read) == len(set(read))
    assert set(usual[ROWS * 2 :]) <= set(read)
    assert {"late 1", "late 2"} <= set(read) and not any(name.startswith("early") for name in read)


def test_organizations_come_in_pages_too():
    alice = Identity.objects.get(subject=PEOPLE["alice"].subject).user
    names = [f"Org {number // 2:03}" for number in range(ROWS + 20)]
    for each in Organization.objects.bulk_create(Organization(name=name) for name in names):
        each.members.add(alice)
    first, second = pages_of(MINE, "organizations")
    assert first + second == ["Acme Incorporated", *names]


@pytest.mark.parametrize("after", ["x", "1", "%00", "W10:1:x", "é", "x" * 3000])
def test_place_that_names_no_page_is_refused(after):
    for path in (RESOURCES, MINE):
        assert_refused(client("alice").get(f"{path}?after={after}"), 400, "bad_request")


def test_place_in_one_list_is_none_in_another(two_and_a_half_pages):
    after = client("alice").get(RESOURCES).json()["next"]
    assert client("alice").get(RESOURCES, {"after": after}).status_code == 200
    assert_refused(client("alice").get(MINE, {"after": after}), 400, "bad_request")


@ON_PUBSUB
async def test_created_resource_is_an_event(layer):
    async with established(EVENTS, "bob") as bob:
        created = await sync_to_async(post)("alice", RESOURCES, {"name": "Plan"})
        event = await bob.receive()
        assert (event["event_type"], event["data"]["resource_id"]) == (
            "resource.created",
            created.json()["id"],
        )


@pytest.mark.parametrize("name", ["\ud800", "a\0b"], ids=ascii)
def test_name_that_no_database_holds_is_refused(name):
    """Half a character is no UTF-8, and PostgreSQL takes no zero byte."""
    assert_refused(post("alice", RESOURCES, json.dumps({"name": name})), 400, "bad_request")


@pytest.mark.parametrize("body", ["{", "[]", "{}", '{"name": ""}', '{"name": 1e999}'])
def test_resource_needs_a_name(body):
    assert_refused(post("alice", RESOURCES, body), 400, "bad_request")
    assert not SampleResource.objects.exists()


def test_name_has_a_limit():
    assert post("alice", RESOURCES, {"name": "x" * 200}).status_code == 201
    assert_refused(post("alice", RESOURCES, {"name": "x" * 201}), 400, "bad_request")


def test_stranger_may_neither_list_nor_create():
    assert_refused(client("mallory").get(RESOURCES), 403, "forbidden")
    assert_refused(post("mallory", RESOURCES, {"name": "Plan"}), 403, "forbidden")


def test_unknown_organization_is_refused_like_a_strangers():
    unknown = client("mallory").get(
        "/api/organizations/00000000-0000-4000-8000-000000000000/resources/"
    )
    assert unknown.json() == client("mallory").get(RESOURCES).json()
    assert unknown.status_code == 403


def test_notification_to_oneself_is_accepted():
    response = post("alice", NOTIFY, {"title": "Hello", "link": "/x"})
    assert response.status_code == 202
    assert response.json() == {"notification": {"title": "Hello", "link": "/x"}}


@ON_PUBSUB
async def test_notification_to_oneself_arrives_and_goes_to_nobody_else(layer):
    async with (
        established(NOTIFICATIONS, "alice") as alice,
        established(NOTIFICATIONS, "bob") as bob,
    ):
        await sync_to_async(post)("alice", NOTIFY, {"title": "Hello"})
        assert (await alice.receive())["notification"] == {"title": "Hello"}
        assert await bob.receive_nothing()


@pytest.mark.parametrize("body", ["{", "7", "{}", '{"title": 7}', '{"title": "x", "n": NaN}'])
def test_notification_needs_a_title_and_json(body):
    assert_refused(post("alice", NOTIFY, body), 400, "bad_request")


@pytest.mark.parametrize("levels", [63, 64, 65, 960, 975, 980, 2_000])
def test_body_that_is_nested_too_deep_is_refused_with_the_reason(levels):
    for path in (NOTIFY, RESOURCES):
        body = f'{{"title": "x", "name": "x", "a": {"[" * levels}{"]" * levels}}}'
        response = post("alice", path, body)
        if path == RESOURCES and levels == 63:
            assert response.status_code == 201
        else:
            assert_refused(response, 400, "bad_request")
            assert "at most 64 levels" in response.json()["message"]


def test_users_requests_are_counted_in_all_and_apart_from_others(settings):
    settings.REALTIME_REQUEST_BURST = 3
    statuses = [client("alice").get(path).status_code for path in (ME, MINE, ME)]
    assert statuses == [200, 200, 200]
    refused = client("alice").get(ME)
    assert_refused(refused, 429, "rate_limited")
    assert int(refused.headers["Retry-After"]) > 0
    assert client("bob").get(ME).status_code == 200
    assert client(token="x").get(ME).status_code == 401


@pytest.mark.parametrize("value", ['"\\ud800"', "9007199254740993"])
def test_notification_that_no_browser_reads_as_it_is_is_refused(value):
    body = f'{{"title": "x", "value": {value}}}'
    assert_refused(post("alice", NOTIFY, body), 400, "bad_request")


def test_notification_above_the_limit_is_refused_by_its_size(settings):
    settings.REALTIME_MAX_FRAME_BYTES = 1_000
    assert_refused(post("alice", NOTIFY, {"title": "x" * 1_000}), 413, "too_large")


@pytest.mark.parametrize("path", [ME, MINE, NOTIFY, RESOURCES])
def test_every_address_wants_a_token(path):
    method = client().post if path == NOTIFY else client().get
    response = method(path)
    assert_refused(response, 401, "token_missing")
    assert response.headers["WWW-Authenticate"] == "Bearer"


def test_scheme_is_read_in_any_case():
    """RFC 9110, 11.1."""
    headers = {"Authorization": f"bearer {access_token('alice')}"}
    assert Client(headers=headers).get(ME).status_code == 200


def test_bad_token_is_told_its_fault():
    expired = client(token=access_token("alice", lifespan=-60))
    assert_refused(expired.get(ME), 401, "token_expired")


def test_disabled_user_is_refused():
    user = Identity.objects.get(subject=PEOPLE["alice"].subject).user
    user.is_active = False
    user.save()
    assert_refused(client("alice").get(ME), 401, "user_disabled")


def test_keys_out_of_reach_are_503_and_not_401(settings):
    use_keys_of(settings, KEYS_URL="http://127.0.0.1:9/certs")
    assert_refused(client("alice").get(ME), 503, "keys_unavailable")


@pytest.mark.parametrize(
    ("path", "method", "allowed"),
    [(ME, "post", "GET"), (NOTIFY, "put", "GET, POST"), (RESOURCES, "put", "GET, POST")],
)
def test_other_methods_are_told_what_there_is(path, method, allowed):
    response = getattr(client("alice"), method)(path)
    assert_refused(response, 405, "method_not_allowed")
    assert response.headers["Allow"] == allowed


def test_token_in_the_query_is_for_sockets_only():
    assert_refused(client().get(f"{ME}?token={access_token('alice')}"), 401, "token_missing")


def test_reported_logout_ends_the_session_for_the_api_too():
    token, other = access_token("alice", sid="first"), access_token("alice", sid="second")
    answer = Client(enforce_csrf_checks=True).post(
        LOGOUT, {"logout_token": logout_token(sid="first")}
    )
    assert (answer.status_code, answer.json()) == (200, {})
    assert answer["Cache-Control"] == "no-store"
    assert_refused(client(token=token).get(ME), 401, "session_ended")
    assert client(token=other).get(ME).status_code == 200
    again = Client().post(LOGOUT, {"logout_token": logout_token(sid="first")})
    assert again.status_code == 200


def test_reported_logout_of_a_user_ends_all_sessions_and_a_new_one_can_begin():
    old = [access_token("alice", sid=sid, iat=1_000) for sid in ("first", "second", None)]
    answer = Client().post(LOGOUT, {"logout_token": logout_token(sid=None, iat=1_000)})
    assert (answer.status_code, answer.json()) == (200, {})
    for token in old:
        assert_refused(client(token=token).get(ME), 401, "session_ended")
    for token in (access_token("alice", iat=1_001), access_token("bob", iat=1_000)):
        assert client(token=token).get(ME).status_code == 200


def test_reported_logout_ends_offline_access_only_where_it_says_so():
    token = access_token("alice", sid="first", scope="openid offline_access")
    end = {LOGOUT_EVENT: {}}
    for events, status in ((end, 200), (end | {"revoke_offline_access": True}, 401)):
        word = logout_token(sid="first", events=events)
        assert Client().post(LOGOUT, {"logout_token": word}).status_code == 200
        assert client(token=token).get(ME).status_code == status


def test_logout_of_nobody_is_told_what_it_lacks():
    answer = Client().post(LOGOUT, {"logout_token": logout_token(sid=None, sub=None)})
    assert_refused(answer, 400, "claim_missing")


def test_logout_that_is_not_the_issuers_word_ends_nothing():
    for body in ({}, {"logout_token": "x"}, {"logout_token": logout_token(aud="other")}):
        assert Client().post(LOGOUT, body).status_code == 400
    assert Client().get(LOGOUT).status_code == 405
    assert not EndedSession.objects.exists()


def test_logout_whose_keys_are_out_of_reach_can_be_reported_again(settings):
    token = logout_token()
    use_keys_of(settings, KEYS_URL="http://127.0.0.1:9/certs")
    assert_refused(Client().post(LOGOUT, {"logout_token": token}), 503, "keys_unavailable")


def test_sessions_that_ended_long_ago_are_forgotten():
    end_session("old")
    EndedSession.objects.update(ended_at=timezone.now() - EndedSession.KEPT)
    end_session("new")
    assert [str(session) for session in EndedSession.objects.all()] == ["new"]
