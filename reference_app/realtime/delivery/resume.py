"""Decides where a client resumes, by the position that it names."""

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
    """Return where a socket begins, which is after the position that its client names, or now."""
    query = parse_qs(query_string.decode("latin1"), keep_blank_values=True)
    if "position" not in query:
        return StartingPoint(feed.place, None)
    named = frames.place_in(query["position"][0])
    if named and await reaches_back(feed.stream_id, Place(*named)):
        return StartingPoint(Place(*named), True)
    return StartingPoint(feed.place, False)
