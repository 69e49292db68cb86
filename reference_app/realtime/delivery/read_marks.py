"""How far users have read their streams, which is the same in each tab and on each device."""

from typing import Any, NamedTuple

from ..layer.publish import send_after_commit
from ..models import Entry, ReadMark
from .streams import Position

# The type of the group message that tells the tabs of a user.
MESSAGE_TYPE = "stream.read"


class ReadState(NamedTuple):
    """The offset up to which a user has read, and how many entries follow that are still kept."""

    read: int
    unread: int


def read_state(position: Position, user: Any) -> ReadState:
    """Return how far a user has read a stream."""
    marks = ReadMark.objects.filter(stream_id=position.stream_id, user=user)
    read = marks.values_list("offset", flat=True).first() or 0
    unread = Entry.objects.filter(stream_id=position.stream_id, offset__gt=read)
    return ReadState(read, unread.count())


def mark_read(stream: str, position: Position, user: Any, offset: int) -> ReadState:
    """Move a user's mark up to an offset, never back, and tell the user's other tabs.

    An offset beyond the end stands for the end.
    """
    mark, _ = ReadMark.objects.get_or_create(stream_id=position.stream_id, user=user)
    upto = min(offset, position.head)
    moved = ReadMark.objects.filter(pk=mark.pk, offset__lt=upto).update(offset=upto)
    state = read_state(position, user)
    if moved:
        message = {"stream": stream, "user": str(user.pk), **state._asdict()}
        send_after_commit(stream, {"type": MESSAGE_TYPE, **message})
    return state
