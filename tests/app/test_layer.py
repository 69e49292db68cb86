"""Into the channel layer: after commit, and never at the cost of the caller."""

import asyncio
import contextlib
from functools import partial

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from django.db import connections, transaction
from django.test import Client

from api.consumers import broadcast_notification, broadcast_org_event, notification_for
from api.models import Organization
from demo.people import ORG_ID
from devrealm.accounts import PEOPLE
from devrealm.issue import access_token
from realtime.delivery import statements
from realtime.layer import publish
from realtime.layer import timeouts as layer_module
from realtime.senders import broadcast_many
from tests.app.dialogue import NOTIFICATIONS, established

ALICE = PEOPLE["alice"].subject

pytestmark = pytest.mark.usefixtures("people", "layer")


@pytest.mark.parametrize("rolled_back", [False, True], ids=["committed", "rolled back"])
async def test_broadcast_waits_for_the_transaction_of_its_caller(rolled_back):
    def change():
        with transaction.atomic():
            async_to_sync(broadcast_notification)(ALICE, {"title": "In a transaction"})
            sent_early.append(bool(sent))
            transaction.set_rollback(rolled_back)

    sent, sent_early = [], []
    async with established(NOTIFICATIONS, "alice") as alice:
        with noting_sends(sent):
            await sync_to_async(change)()
        assert sent_early == [False]
        if rolled_back:
            assert await alice.receive_nothing()
        else:
            assert (await alice.receive())["notification"] == {"title": "In a transaction"}


@contextlib.contextmanager
def noting_sends(notes):
    usual = publish._send

    async def send(messages):
        notes.append(messages)
        await usual(messages)

    publish._send = send
    try:
        yield
    finally:
        publish._send = usual


async def test_request_in_a_transaction_sends_when_it_has_succeeded(monkeypatch):
    """With ATOMIC_REQUESTS, the view takes no lock of a stream's."""
    monkeypatch.setitem(connections["default"].settings_dict, "ATOMIC_REQUESTS", True)
    added, add_pending = [], statements.add_pending

    def note(connection, pairs):
        added.extend(pairs)
        add_pending(connection, pairs)

    monkeypatch.setattr(statements, "add_pending", note)
    client = Client(headers={"Authorization": f"Bearer {access_token('alice')}"})
    post = partial(client.post, content_type="application/json")
    async with established(NOTIFICATIONS, "alice") as alice:
        await sync_to_async(post)("/api/me/notifications/", {"title": "Hello"})
        assert (await alice.receive())["notification"] == {"title": "Hello"}
    assert len(added) == 1


@pytest.mark.parametrize("count", [2, 700])
async def test_many_messages_are_handed_to_the_layer_together(monkeypatch, layer, count):
    """The layer is handed a batch at a time."""
    trips, send_many = [], publish.group_send_many

    async def note(layer, messages):
        trips.append(len(messages))
        await send_many(layer, messages)

    monkeypatch.setattr(publish, "group_send_many", note)
    async with established(NOTIFICATIONS, "alice") as alice:
        await broadcast_many(notification_for(ALICE, {"n": n}) for n in range(count))
        heard = [(await alice.receive())["notification"]["n"] for _ in range(count)]
    assert heard == [*range(count)]
    assert trips == ([2] if count == 2 else [publish.BATCH, count - publish.BATCH])


async def test_layer_that_is_down_is_tried_once_for_many_batches(monkeypatch, layer, caplog):
    async def refuse(layer, messages):
        raise ConnectionRefusedError("no Redis")

    monkeypatch.setattr(publish, "group_send_many", refuse)
    await broadcast_many(notification_for(ALICE, {"n": n}) for n in range(publish.BATCH + 1))
    (record,) = caplog.records
    assert f"and {publish.BATCH} more was not sent: no Redis" in record.getMessage()


async def test_broadcast_from_sync_code_without_a_transaction_is_sent_at_once():
    async with established(NOTIFICATIONS, "alice") as alice:
        await sync_to_async(async_to_sync(broadcast_notification))(ALICE, {"title": "Sync"})
        assert (await alice.receive())["notification"] == {"title": "Sync"}


@pytest.mark.parametrize("rolled_back", [False, True], ids=["committed", "rolled back"])
async def test_row_survives_a_layer_that_is_down(monkeypatch, layer, caplog, rolled_back):
    async def refuse(group, message):
        raise ConnectionRefusedError("no Redis")

    def create():
        with transaction.atomic():
            async_to_sync(broadcast_org_event)(ORG_ID, "created", {})
            Organization.objects.create(name="Saved")
            transaction.set_rollback(rolled_back)

    monkeypatch.setattr(layer, "group_send", refuse, raising=False)
    await sync_to_async(create)()
    assert await Organization.objects.filter(name="Saved").aexists() != rolled_back
    assert ("was not sent: no Redis" in caplog.text) != rolled_back


async def test_caller_is_not_kept_by_a_layer_that_hangs(monkeypatch, layer, caplog):
    async def hang(group, message):
        await asyncio.Event().wait()

    monkeypatch.setattr(layer, "group_send", hang, raising=False)
    monkeypatch.setattr(layer_module, "LAYER_TIMEOUT", 0.01)
    async with asyncio.timeout(5):
        await broadcast_notification(ALICE, {"title": "Hello"})
    assert "was not sent: TimeoutError" in caplog.text
