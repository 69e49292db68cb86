"""How far users have read their streams, which is the same in each tab and on each device."""

from typing import Any, NamedTuple

from ..layer.publish import send_after_commit
from ..models import Entry, ReadMark
from ..protocol.frames import MalformedError
from .streams import Position

# The type of the group message that tells the tabs of a user.
MESSAGE_TYPE = "stream.read"


class ReadState(NamedTuple):
    """The offset up to which all entries are read or no longer kept, and how many follow it."""

    read: int
    unread: int


def offset_in(message: Any) -> int:
    """Return the offset that a client names in a message or a body."""
    offset = message.get("offset") if isinstance(message, dict) else None
    if type(offset) is not int or offset < 0:
        raise MalformedError("The `offset` is not that of an entry, and not 0.")
    return offset


def read_state(position: Position, user: Any) -> ReadState:
    """Return how far a user has read a stream."""
    marks = ReadMark.objects.filter(stream_id=position.stream_id, user=user)
    kept = Entry.objects.filter(stream_id=position.stream_id).order_by("offset")
    first = kept.values_list("offset", flat=True).first() or position.head + 1
    read = max(first - 1, marks.values_list("offset", flat=True).first() or 0)
    return ReadState(read, max(0, position.head - read))


def mark_read(stream: str, position: Position, user: Any, offset: int) -> ReadState:
    """Move a user's mark up to an offset, never back, and tell the user's other tabs.

    An offset beyond the end stands for the end, and 0 moves nothing.
    """
    if upto := min(offset, position.head):
        mark, _ = ReadMark.objects.get_or_create(stream_id=position.stream_id, user=user)
        moved = ReadMark.objects.filter(pk=mark.pk, offset__lt=upto).update(offset=upto)
    state = read_state(position, user)
    if upto and moved:
        message = {"stream": stream, "user": str(user.pk), **state._asdict()}
        send_after_commit(stream, {"type": MESSAGE_TYPE, **message})
    return state
