"""What a view answers while the database is away or hangs, and in which thread it works."""

import asyncio
import threading

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from django.core.exceptions import RequestDataTooBig
from django.db import (
    IntegrityError,
    InterfaceError,
    OperationalError,
    connection,
    connections,
    transaction,
)
from django.http import JsonResponse
from django.test import AsyncRequestFactory, Client, RequestFactory

from api.models import Organization
from devrealm.issue import access_token
from realtime import rest
from realtime.concurrency.threads import Threads
from realtime.rest import with_token
from tests.app.test_tokens import logout_token

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
async def people(people):
    """Alice is known, so that a request only reads."""


def view_of(work, *methods):
    """Return a view that does this work."""

    @with_token(*(methods or ("GET",)))
    def view(request):
        return JsonResponse({"answer": work()})

    return view


async def ask(view):
    headers = {"Authorization": f"Bearer {access_token('alice')}"}
    return await view(AsyncRequestFactory().get("/", headers=headers))


def raising(error):
    def work(*args):
        raise error

    return work


def assert_unavailable(response, word):
    assert response.status_code == 503
    assert f'"{word}"' in response.content.decode()
    assert int(response["Retry-After"]) > 0


@pytest.mark.parametrize("error", [OperationalError("gone"), InterfaceError("closed")])
async def test_database_out_of_reach_is_503(error, caplog):
    assert_unavailable(await ask(view_of(raising(error))), "database_unavailable")
    assert "Request failed: database unavailable" in caplog.text


async def test_database_out_of_reach_is_503_before_the_view_is_called(monkeypatch):
    monkeypatch.setattr(rest, "active_user", raising(OperationalError("gone")))
    assert_unavailable(await ask(view_of(lambda: 1)), "database_unavailable")


@pytest.mark.parametrize("error", [IntegrityError("twice"), TimeoutError("elsewhere"), KeyError()])
async def test_other_errors_are_the_views_own(error):
    with pytest.raises(type(error)):
        await ask(view_of(raising(error)))


@pytest.mark.skipif("connection.vendor != 'sqlite'", reason="PostgreSQL says ProgrammingError")
async def test_mistake_in_the_sql_is_no_outage():
    with pytest.raises(OperationalError):
        await ask(view_of(lambda: connection.cursor().execute("SELECT nothing")))


async def test_body_that_is_too_large_is_413():
    assert (await ask(view_of(raising(RequestDataTooBig())))).status_code == 413


@pytest.fixture
def hanging():
    """A view's work that hangs until it is let go."""
    released = threading.Event()
    yield released
    released.set()


async def test_database_that_hangs_is_503_at_the_deadline(settings, hanging):
    settings.REALTIME_REQUEST_SECONDS = 0.1
    assert_unavailable(await ask(view_of(hanging.wait)), "timed_out")


async def test_requests_that_hang_take_no_more_threads_than_there_are(
    settings, hanging, monkeypatch
):
    settings.REALTIME_REQUEST_SECONDS = 0.1
    monkeypatch.setattr(rest, "request_threads", Threads(2, "few"))
    called = []

    def work():
        called.append(1)
        hanging.wait()

    for answer in await asyncio.gather(*(ask(view_of(work)) for _ in range(10))):
        assert_unavailable(answer, "timed_out")
    assert len(called) <= 2
    hanging.set()
    settings.REALTIME_REQUEST_SECONDS = 60
    # A request that was answered 503 before its turn is not done later.
    before = len(called)
    answer = await ask(view_of(lambda: len(called)))
    assert answer.content == f'{{"answer": {before}}}'.encode()


async def test_client_that_leaves_does_not_wait_for_the_thread(hanging):
    begun = threading.Event()

    def work():
        begun.set()
        hanging.wait()

    request = asyncio.create_task(ask(view_of(work)))
    assert await asyncio.to_thread(begun.wait, 10)
    request.cancel()
    await asyncio.wait([request], timeout=5)
    assert request.cancelled()


async def test_async_view_has_the_same_deadline(settings):
    @with_token("GET")
    async def view(request):
        await asyncio.sleep(seconds)
        return JsonResponse({"user": request.user.email})

    seconds = 0
    assert (await ask(view)).content == b'{"user": "alice@example.com"}'
    settings.REALTIME_REQUEST_SECONDS, seconds = 0.1, 60
    assert_unavailable(await ask(view), "timed_out")


async def test_reported_logout_that_cannot_be_stored_is_503(monkeypatch):
    monkeypatch.setattr(rest, "end_sessions", raising(OperationalError("gone")))
    client = sync_to_async(Client().post)
    answer = await client("/api/backchannel-logout/", {"logout_token": logout_token()})
    assert_unavailable(answer, "database_unavailable")


def test_sync_caller_shares_its_thread_and_its_transaction_with_the_view():
    asked = RequestFactory(headers={"Authorization": f"Bearer {access_token('alice')}"}).get("/")
    here = threading.get_ident()
    view = view_of(lambda: threading.get_ident() == here and connection.in_atomic_block)
    with transaction.atomic():
        assert async_to_sync(view)(asked).content == b'{"answer": true}'


def make_and_fail():
    Organization.objects.create(name="Half done")
    raise IntegrityError("twice")


@pytest.mark.parametrize("atomic", [True, False])
async def test_atomic_requests_hold_for_a_view_with_a_token(atomic, monkeypatch):
    monkeypatch.setitem(connections.settings["default"], "ATOMIC_REQUESTS", atomic)
    with pytest.raises(IntegrityError):
        await ask(view_of(make_and_fail))
    assert await Organization.objects.filter(name="Half done").aexists() is not atomic


async def test_django_takes_the_view_where_requests_are_atomic(monkeypatch):
    """It refuses async views otherwise."""
    monkeypatch.setitem(connections.settings["default"], "ATOMIC_REQUESTS", True)
    headers = {"Authorization": f"Bearer {access_token('alice')}"}
    answer = await sync_to_async(Client(headers=headers).get)("/api/me/")
    assert answer.status_code == 200
