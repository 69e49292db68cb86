"""Decides where a client begins, by the position or the history that it asks for."""

from functools import partial
from typing import NamedTuple
from urllib.parse import parse_qs

from ..concurrency.threads import socket_threads
from ..protocol import frames
from ..protocol.frames import Frame
from . import streams
from .feed import Feed
from .streams import Place

reaches_back = partial(socket_threads.run, streams.reaches_back)
place_before = partial(socket_threads.run, streams.place_before)

# What `?since=start` asks for, as a number of entries. Offsets of a database are no larger.
ALL = 2**63 - 1


class StartingPoint(NamedTuple):
    """The place after which a socket is sent everything.

    `recovered` is None for a client that named no position; False where something between the one
    that it named and this one may be lost to it.
    """

    place: Place
    recovered: bool | None

    def frame(self) -> Frame:
        """Return the keys of the greeting."""
        position = str(self.place)
        return {"offset": self.place.offset, "position": position, "recovered": self.recovered}


async def resume(feed: Feed, query_string: bytes) -> StartingPoint:
    """Return where a socket begins.

    It is after the position that the client names, before the history that it asks for, or now.
    """
    query = parse_qs(query_string.decode("latin1"), keep_blank_values=True)
    if "position" not in query:
        entries = entries_since(query.get("since", [""])[0])
        place = await place_before(feed.stream_id, feed.place, entries) if entries else feed.place
        return StartingPoint(place, None)
    named = frames.place_in(query["position"][0])
    if named and await reaches_back(feed.stream_id, Place(*named)):
        return StartingPoint(Place(*named), True)
    return StartingPoint(feed.place, False)


def entries_since(since: str) -> int:
    """Return how many entries of history are asked for; none by what is not understood."""
    if since == "start":
        return ALL
    # More digits are no number of entries that a database could have.
    is_number = since.isascii() and since.isdecimal() and len(since) < 19
    return int(since) if is_number else 0
