"""Entries of streams, written as a sender writes them, of which no layer tells."""

from ..delivery import outbox
from ..delivery.outbox import Outgoing
from ..delivery.streams import Appended, Place
from ..protocol.frames import encode_entry


def append(stream: str, frame: dict) -> Appended:
    """Write a frame to the end of a stream, outside of any transaction."""
    (entry,) = outbox.append([Outgoing(stream, encode_entry(frame))])
    return entry


def place_of(entry: Appended) -> Place:
    return Place(entry.offset, entry.tag)
