"""Into the channel layer: after commit, and never at the cost of the caller."""

import asyncio
import contextlib

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from django.db import transaction

from api import layer as layer_module
from api import publish
from api.consumers import broadcast_notification, broadcast_org_event
from api.models import Organization
from devrealm.people import ORG_ID, PEOPLE
from tests.dialogue import NOTIFICATIONS, established

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
