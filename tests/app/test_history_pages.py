"""What was sent before, page by page in REST."""

from datetime import timedelta

import pytest
from asgiref.sync import async_to_sync

from api.consumers import broadcast_notification, broadcast_org_event
from demo.people import ORG_ID, settle
from devrealm.accounts import PEOPLE
from devrealm.issue import access_token
from realtime.delivery.streams import prune
from tests.app.dialogue import NOTIFICATIONS, resumed

pytestmark = pytest.mark.django_db(transaction=True)

ALICE = PEOPLE["alice"].subject


@pytest.fixture(autouse=True)
def organization():
    return settle()


@pytest.fixture
def get(client, settings):
    def get(path, username="alice"):
        token = access_token(username)
        return client.get(path, headers={"Authorization": f"Bearer {token}"})

    return get


def notify(*numbers):
    for number in numbers:
        async_to_sync(broadcast_notification)(ALICE, {"n": number})


def numbers_of(frames):
    return [frame["notification"]["n"] for frame in frames]


def test_latest_entries_come_first_each_page_in_order(get, settings):
    settings.REALTIME_ROWS_PER_ANSWER = 2
    notify(1, 2, 3, 4, 5)
    path, pages = "/api/me/notifications/", []
    while path:
        page = get(path).json()
        pages.append(numbers_of(page["entries"]))
        path = page["next"] and f"/api/me/notifications/?before={page['next']}"
    assert pages == [[4, 5], [2, 3], [1]]


def test_entries_are_the_frames_of_sockets(get):
    notify(1)
    (entry,) = get("/api/me/notifications/").json()["entries"]
    assert entry.keys() == {"type", "notification", "offset", "position"}


def test_page_is_bounded_and_has_the_latest_entries(get, settings):
    settings.REALTIME_HISTORY_PAGE_BYTES = 1_200
    for _ in range(4):
        async_to_sync(broadcast_notification)(ALICE, {"title": "é" * 400})
    entries = get("/api/me/notifications/").json()["entries"]
    assert [entry["offset"] for entry in entries] == [3, 4]


def test_pruned_history_ends_where_it_ends(get, settings):
    notify(1, 2, 3)
    prune(keep=1, age=timedelta(days=7))
    page = get("/api/me/notifications/").json()
    assert numbers_of(page["entries"]) == [3]
    assert get(f"/api/me/notifications/?before={page['next']}").json()["entries"] == []


def test_nothing_was_sent(get):
    page = get("/api/me/notifications/").json()
    assert (page["entries"], page["next"]) == ([], None)
    assert page["position"].startswith("0.")


@pytest.mark.parametrize("before", ["", "0", "-1", "x", "9" * 30, "1.0"])
def test_page_that_was_never_named_is_refused(get, before):
    answer = get(f"/api/me/notifications/?before={before}")
    assert (answer.status_code, answer.json()["error"]) == (400, "bad_request")


def test_events_of_an_organization_are_for_its_members(get):
    async_to_sync(broadcast_org_event)(ORG_ID, "made", {"n": 1})
    path = f"/api/organizations/{ORG_ID}/events/"
    (entry,) = get(path).json()["entries"]
    assert entry["data"] == {"n": 1}
    assert get(path, "mallory").status_code == 403


def test_list_and_then_listen_misses_nothing_and_shows_nothing_twice(get):
    notify(1, 2)
    listed = get("/api/me/notifications/").json()
    notify(3)

    async def listen():
        async with resumed(NOTIFICATIONS, "alice", listed["position"]) as alice:
            await broadcast_notification(ALICE, {"n": 4})
            return numbers_of([await alice.receive() for _ in "34"])

    assert numbers_of(listed["entries"]) + async_to_sync(listen)() == [1, 2, 3, 4]
