"""Where a client goes on: the position that it names, if history reaches back to it."""

from typing import NamedTuple
from urllib.parse import parse_qs

from channels.db import database_sync_to_async

from . import streams
from .feed import Feed

reaches_back = database_sync_to_async(streams.reaches_back)


class Start(NamedTuple):
    """Everything after this offset follows.

    `recovered` is None for a client that named no position; False where something between the one
    that it named and this one may be lost to it.
    """

    epoch: str
    offset: int
    recovered: bool | None


async def start(feed: Feed, query_string: bytes) -> Start:
    """Return where a socket begins; a client that comes back says `?epoch=…&offset=…`."""
    query = parse_qs(query_string.decode("latin1"))
    if "epoch" not in query and "offset" not in query:
        return Start(feed.epoch, feed.head, None)
    epoch, offset = query.get("epoch", [""])[0], as_offset(query.get("offset", [""])[0])
    if epoch == feed.epoch and await reaches_back(feed.stream_id, offset):
        return Start(epoch, offset, True)
    return Start(feed.epoch, feed.head, False)


def as_offset(text: str) -> int:
    """Return the number that is spelled, or -1, which no offset is."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else -1
