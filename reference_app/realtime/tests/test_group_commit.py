"""Tasks that send at the same time share transactions, and lose nothing by it."""

import asyncio

import pytest
from asgiref.sync import ThreadSensitiveContext, async_to_sync, sync_to_async
from django.db import OperationalError, connections, transaction

from ..delivery import group_commit as module
from ..delivery import outbox
from ..delivery.streams import position, read_after
from ..models import PendingEntry
from ..protocol.frames import parse
from ..senders import broadcast_many
from .project import numbered, own_topic

pytestmark = pytest.mark.usefixtures("transactional_db", "layer")

ON_PUBSUB = pytest.mark.parametrize("layer", ["pubsub"], indirect=True)


@pytest.fixture
def written(monkeypatch):
    """Return the sizes of what was written together."""
    sizes, send = [], outbox.send

    def note(outgoing):
        sizes.append(len(outgoing))
        return send(outgoing)

    monkeypatch.setattr(outbox, "send", note)
    return sizes


async def send_one(number: int, user: str = "u") -> None:
    await broadcast_many([numbered(number, user)])


async def kept(user: str) -> list[int]:
    def read():
        stream = own_topic.stream(user)
        entries = read_after(stream, position(stream).stream_id, 0)
        return [parse(entry.text)["n"] for entry in entries]

    return await sync_to_async(read)()


@ON_PUBSUB
async def test_those_who_send_while_one_writes_are_written_together(written):
    await asyncio.gather(*(send_one(n) for n in range(50)))
    assert written == [1, 49]
    assert await kept("u") == [*range(50)]


@ON_PUBSUB
async def test_one_who_sends_alone_does_so_at_once(written):
    for number in range(3):
        await send_one(number)
    assert written == [1, 1, 1]


@ON_PUBSUB
async def test_frames_of_one_call_stay_together_and_in_order(written):
    def frames(sender):
        return [numbered(10 * sender + n, "u") for n in range(3)]

    await asyncio.gather(*(broadcast_many(frames(sender)) for sender in range(4)))
    assert written == [3, 9]
    assert await kept("u") == [0, 1, 2, 10, 11, 12, 20, 21, 22, 30, 31, 32]


@ON_PUBSUB
async def test_fault_is_told_to_each_and_the_next_may_send(monkeypatch):
    send, faults = outbox.send, [None, OperationalError("no such host")]

    def fail_second(outgoing):
        if fault := faults.pop(0) if faults else None:
            raise fault
        return send(outgoing)

    monkeypatch.setattr(outbox, "send", fail_second)
    sends = (send_one(n) for n in range(4))
    results = await asyncio.gather(*sends, return_exceptions=True)
    assert [type(result) for result in results] == [type(None), *[OperationalError] * 3]
    await send_one(9)
    assert await kept("u") == [0, 9]


@ON_PUBSUB
async def test_sender_that_is_cancelled_takes_nobody_along():
    """Its request has ended by then, and with it the thread for its queries."""

    async def request(number):
        async with ThreadSensitiveContext():
            try:
                await send_one(number)
            finally:
                # As Django does at the end of a request.
                await sync_to_async(connections.close_all)()

    first, second, third = (asyncio.create_task(request(number)) for number in range(3))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    second.cancel()
    await asyncio.gather(first, third)
    assert sorted(await kept("u")) in ([0, 1, 2], [0, 2])


@ON_PUBSUB
@pytest.mark.parametrize("rolled_back", [False, True], ids=["committed", "rolled back"])
async def test_sender_in_a_transaction_is_never_written_with_others(rolled_back):
    def in_a_transaction():
        with transaction.atomic():
            async_to_sync(send_one)(1)
            assert PendingEntry.objects.count() == 1
            transaction.set_rollback(rolled_back)

    others = (send_one(n, "other") for n in range(20))
    await asyncio.gather(sync_to_async(in_a_transaction)(), *others)
    assert await kept("other") == [*range(20)]
    assert await kept("u") == ([] if rolled_back else [1])


async def test_each_loop_has_senders_of_its_own():
    assert module.group_commit() is module.group_commit()
    assert await asyncio.to_thread(asyncio.run, here()) is not module.group_commit()


async def here():
    return module.group_commit()


@ON_PUBSUB
async def test_sync_code_reaches_the_layer_on_one_loop(monkeypatch, layer):
    """Each loop would open a connection to Redis: 200 sends would be 200 connections."""
    loops, usual = set(), layer.group_send

    async def group_send(group, message):
        loops.add(asyncio.get_running_loop())
        await usual(group, message)

    monkeypatch.setattr(layer, "group_send", group_send, raising=False)

    def send():
        for number in range(3):
            async_to_sync(send_one)(number)
        connections.close_all()

    await asyncio.to_thread(send)
    assert len(loops) == 1
