"""The diagrams of the notebooks show what happened, in the order in which it happened."""

import pytest

from classroom import Recorder

LAYER = "layer"


def heard(client, path="/"):
    """A client's request, and how it is drawn."""
    return lambda recorder: recorder.note(client, "application", "websocket.connect", client)


def sent(client, frame):
    return lambda recorder: recorder.note(
        "application", client, f"websocket.send {frame}", client, ("websocket.send", frame)
    )


def delivered(client, message):
    label = f"{message} for {client}"
    return lambda recorder: recorder.note(LAYER, "application", label, client, (LAYER, message))


def drawn(*happened):
    recorder = Recorder()
    for each in happened:
        each(recorder)
    return [f"{n.client} {n.label}" for n in recorder.in_order()]


def test_answers_to_one_client_stay_before_what_another_is_sent_later():
    assert drawn(
        heard("bob"), sent("bob", "accept"), sent("bob", "hello"), sent("alice", "news 2")
    ) == [
        "bob websocket.connect",
        "bob websocket.send accept",
        "bob websocket.send hello",
        "alice websocket.send news 2",
    ]


@pytest.mark.parametrize("first", ["alice", "bob"])
def test_one_frame_to_several_clients_is_drawn_client_by_client(first):
    second = {"alice": "bob", "bob": "alice"}[first]
    assert drawn(sent(first, "news 1"), sent(second, "news 1")) == [
        "alice websocket.send news 1",
        "bob websocket.send news 1",
    ]


INTERLEAVED = [
    [("alice", 1), ("bob", 1), ("alice", 2), ("bob", 2)],
    [("alice", 1), ("alice", 2), ("bob", 1), ("bob", 2)],
    [("bob", 1), ("alice", 1), ("alice", 2), ("bob", 2)],
]


@pytest.mark.parametrize("order", INTERLEAVED)
def test_two_deliveries_at_once_are_drawn_one_after_the_other(order):
    assert drawn(*(sent(client, f"news {number}") for client, number in order)) == [
        "alice websocket.send news 1",
        "bob websocket.send news 1",
        "alice websocket.send news 2",
        "bob websocket.send news 2",
    ]


@pytest.mark.parametrize("bob_is_quick", [True, False])
def test_a_message_to_two_consumers_and_their_frames_are_drawn_alike_in_any_order(bob_is_quick):
    to_bob = [delivered("bob", "chat"), sent("bob", "hi")]
    to_alice = [delivered("alice", "chat"), sent("alice", "hi")]
    if bob_is_quick:
        happened = [*to_bob, *to_alice]
    else:
        happened = [delivered("alice", "chat"), delivered("bob", "chat"), to_bob[1], to_alice[1]]
    assert drawn(*happened) == [
        "alice chat for alice",
        "bob chat for bob",
        "alice websocket.send hi",
        "bob websocket.send hi",
    ]


def test_the_same_frame_after_a_request_is_another_delivery():
    assert drawn(sent("bob", "x"), heard("carol"), sent("alice", "x")) == [
        "bob websocket.send x",
        "carol websocket.connect",
        "alice websocket.send x",
    ]


def test_no_frame_is_drawn_before_an_earlier_one_to_the_same_client():
    happened = [sent("bob", "x"), sent("alice", "y"), sent("alice", "x")]
    assert drawn(*happened) == [
        "bob websocket.send x",
        "alice websocket.send y",
        "alice websocket.send x",
    ]


class Layer:
    async def group_send(self, group, message): ...

    group_add = group_discard = group_send

    async def receive(self, channel):
        return {"type": "chat.message"}


async def test_a_watched_layer_tells_the_last_recorder_only():
    layer, earlier, later = Layer(), Recorder(), Recorder()
    earlier.watch(layer)
    later.watch(layer)
    await layer.group_send("room", {})
    await layer.receive("channel")
    assert [note.label for note in later.notes] == ["group_send room", "chat.message"]
    assert earlier.notes == []
