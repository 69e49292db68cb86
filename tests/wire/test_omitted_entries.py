"""Every client gets all offsets beside a row that no server can send, and is told of that one."""

from asgiref.sync import sync_to_async

from api.consumers import broadcast_notification
from api.topics import user_topic
from devrealm.accounts import PEOPLE
from tests.laboratory.faults import TOO_LARGE
from tests.laboratory.keeper import plant
from tests.wire.fixtures import layer_on

NOTIFICATIONS = "/ws/notifications/"
ALICE = PEOPLE["alice"].subject


async def test_row_of_2_mb_is_omitted_live_and_on_resume(
    server, redis_port, connect, shared_database
):
    stayed = await connect(server, NOTIFICATIONS, "alice")
    start = await stayed.receive()
    first = start["offset"] + 1
    async with layer_on(redis_port):
        await broadcast_notification(ALICE, {"title": "before"})
        before = await stayed.receive()
        position = await sync_to_async(plant)(user_topic.stream(ALICE), TOO_LARGE)
        # Nothing comes after it: the periodic check finds it.
        omitted = await stayed.receive()
        await broadcast_notification(ALICE, {"title": "after"})
        after = await stayed.receive()
    assert [before["offset"], omitted["offset"], after["offset"]] == [first, first + 1, first + 2]
    assert (omitted["type"], omitted["position"]) == ("entry.omitted", position)
    assert omitted["size"] > TOO_LARGE
    assert omitted.keys() == {"type", "offset", "position", "size"}
    following = [before, omitted, after]
    for seen, place in enumerate((start["position"], before["position"], position)):
        back = await connect(server, f"{NOTIFICATIONS}?position={place}", "alice")
        assert (await back.receive())["recovered"] is True
        rest = following[seen:]
        assert [await back.receive() for _ in rest] == rest
