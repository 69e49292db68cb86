"""Entries of streams, written as a sender writes them, of which no layer tells."""

from api import outbox
from api.frames import encode_entry
from api.outbox import Outgoing
from api.streams import Appended, Place


def append(stream: str, frame: dict) -> Appended:
    """Write a frame to the end of a stream, outside of any transaction."""
    (entry,) = outbox.append([Outgoing(stream, encode_entry(frame))])
    return entry


def place_of(entry: Appended) -> Place:
    return Place(entry.offset, entry.tag)
