"""What a process receives from a layer that may be away, on both layers where it can be."""

import asyncio
from contextlib import asynccontextmanager

import pytest
from channels.layers import get_channel_layer

from ..layer import subscribe as subscribe_module
from ..layer import timeouts as timeouts_module
from ..layer.subscribe import GroupSubscriber
from ..layer.timeouts import LAYER_ERRORS
from ..testing.patience import eventually

pytestmark = pytest.mark.usefixtures("layer")

ON_PUBSUB = pytest.mark.parametrize("layer", ["pubsub"], indirect=True)


@asynccontextmanager
async def listening(*groups):
    """Listen, and note what is heard and how often something may have been missed."""
    received, missed = [], []

    async def on_message(message):
        received.append(message)

    subscriber = GroupSubscriber(set(groups), on_message, lambda: missed.append("missed"))
    subscriber.received, subscriber.missed = received, missed
    await subscriber.first_attempt.wait()
    try:
        yield subscriber
    finally:
        await subscriber.stop()


async def send(group, **message):
    await get_channel_layer().group_send(group, message)


async def test_groups_are_heard_from_the_start_and_as_they_are_joined():
    async with listening("first") as subscriber:
        await subscriber.join("second")
        await send("first", n=1)
        await send("second", n=2)
        await eventually(lambda: len(subscriber.received) == 2)
    assert subscriber.received == [{"n": 1}, {"n": 2}]
    assert subscriber.missed == []


async def test_group_that_was_left_is_heard_no_more():
    async with listening("first", "second") as subscriber:
        await subscriber.leave("first")
        await send("first", n=1)
        await send("second", n=2)
        await eventually(lambda: subscriber.received)
    assert subscriber.received == [{"n": 2}]


@ON_PUBSUB
async def test_group_that_is_left_and_joined_at_once_is_heard(monkeypatch, layer):
    """Though leaving takes longer than joining."""
    discard = layer.group_discard

    async def slow_discard(group, channel):
        await asyncio.sleep(0.05)
        await discard(group, channel)

    monkeypatch.setattr(layer, "group_discard", slow_discard, raising=False)
    async with listening("first") as subscriber:
        await asyncio.gather(subscriber.leave("first"), subscriber.join("first"))
        await send("first", n=1)
        await eventually(lambda: subscriber.received)


@ON_PUBSUB
async def test_layer_that_comes_back_is_heard_again_in_all_groups(monkeypatch, layer, caplog):
    monkeypatch.setattr(subscribe_module, "RETRY", 0.05)
    receive, failures = layer.receive, []

    async def fail_once(channel):
        if not failures:
            failures.append(channel)
            raise ConnectionResetError("Redis died")
        return await receive(channel)

    monkeypatch.setattr(layer, "receive", fail_once, raising=False)
    async with listening("first") as subscriber:
        await eventually(lambda: subscriber.missed)
        await eventually(lambda: subscriber.channel)
        await send("first", n=1)
        await eventually(lambda: subscriber.received)
    assert (
        "Channel layer unavailable, and tried again in 0.05 s: ConnectionResetError('Redis died')"
        in caplog.text
    )


@ON_PUBSUB
async def test_message_that_cannot_be_taken_does_not_end_the_listening(monkeypatch, caplog):
    monkeypatch.setattr(subscribe_module, "RETRY", 0.05)
    async with listening("first") as subscriber:
        usual, subscriber.on_message = subscriber.on_message, fail
        await send("first", n=1)
        await eventually(lambda: subscriber.missed)
        subscriber.on_message = usual
        await eventually(lambda: subscriber.channel)
        await send("first", n=2)
        await eventually(lambda: subscriber.received == [{"n": 2}])
    assert "RuntimeError('a bug')" in caplog.text


async def fail(message):
    raise RuntimeError("a bug")


@ON_PUBSUB
@pytest.mark.parametrize("broken", ["new_channel", "group_add"])
async def test_group_of_a_layer_out_of_reach_cannot_be_joined(monkeypatch, layer, broken):
    async def refuse(*args):
        raise ConnectionRefusedError("no Redis")

    monkeypatch.setattr(layer, broken, refuse, raising=False)
    async with listening() as subscriber:
        with pytest.raises(LAYER_ERRORS):
            await subscriber.join("first")


@ON_PUBSUB
@pytest.mark.parametrize("broken", ["new_channel", "group_add"])
async def test_layer_that_hangs_is_not_waited_for(monkeypatch, layer, broken):
    async def hang(*args):
        await asyncio.Event().wait()

    monkeypatch.setattr(timeouts_module, "LAYER_TIMEOUT", 0.05)
    monkeypatch.setattr(layer, broken, hang, raising=False)
    async with asyncio.timeout(4), listening("before") as subscriber:
        with pytest.raises(LAYER_ERRORS):
            await subscriber.join("first")


@ON_PUBSUB
async def test_group_is_left_though_the_layer_takes_longer_than_it_may(monkeypatch, layer):
    monkeypatch.setattr(timeouts_module, "LAYER_TIMEOUT", 0.05)
    async with listening("first") as subscriber:
        await subscriber.join("second")
        (shard,) = layer._get_layer()._shards
        async with shard._lock:  # held while other sockets of the process come and leave
            await subscriber.leave("second")
        assert await subscriptions(shard) == ["first"]


async def subscriptions(shard) -> list[str]:
    """Return the groups to which the process is subscribed, once all calls before are done."""
    async with shard._lock:
        names = shard._subscribed_to
    return [name.rpartition("__")[2] for name in names if "__group__" in name]


@ON_PUBSUB
async def test_end_leaves_nothing_in_the_layer(layer):
    async with listening("first") as subscriber:
        await subscriber.join("second")
        assert len(layer.groups) == 2
    assert not layer.groups and not layer.channels


@ON_PUBSUB
async def test_layer_that_takes_its_time_to_clean_up_is_let_finish(monkeypatch, layer):
    receive, cleaned = layer.receive, []

    async def slow_to_end(channel):
        try:
            return await receive(channel)
        finally:
            await asyncio.sleep(0.3)
            cleaned.append(channel)

    monkeypatch.setattr(layer, "receive", slow_to_end)
    async with listening("first"):
        pass
    assert len(cleaned) == 1


@ON_PUBSUB
async def test_flushed_layer_is_joined_again(layer):
    async with listening("first") as subscriber:
        await layer.group_discard("first", subscriber.channel)
        await subscriber.join_again({"first", "not ours"})
        assert [name.rpartition("__")[2] for name in layer.groups] == ["first"]


ON_CORE = pytest.mark.parametrize("layer", ["core"], indirect=True)


@ON_CORE
async def test_membership_is_renewed_before_the_layer_forgets_it(monkeypatch, layer):
    async with listening("first") as subscriber:
        await subscriber.join("second")
        joined_at = dict(subscriber.groups)
        await subscriber.join_again(set())
        assert subscriber.groups == joined_at
        monkeypatch.setattr(layer, "group_expiry", 0)
        await subscriber.join_again(set())
    assert {group for group in joined_at if subscriber.groups[group] > joined_at[group]} == {
        "first",
        "second",
    }


@ON_PUBSUB
async def test_group_that_is_left_while_it_is_joined_is_forgotten(monkeypatch, layer):
    add = layer.group_add

    async def slow_add(group, channel):
        await add(group, channel)
        await asyncio.sleep(0.05)

    monkeypatch.setattr(layer, "group_add", slow_add, raising=False)
    async with listening() as subscriber:
        await asyncio.gather(subscriber.join("first"), subscriber.leave("first"))
        assert not subscriber.groups and not layer.groups
