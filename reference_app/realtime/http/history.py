"""Answers with what was sent to a stream, and with how much of it the user has read."""

import json
from typing import Any

from django.http import HttpRequest, JsonResponse

from ..authority.topics import Topic
from ..delivery import streams
from ..delivery.hub import complete
from ..delivery.read_marks import mark_read, offset_in, read_state
from ..delivery.streams import Position
from ..protocol.frames import MalformedError, parse
from ..rest import error


def history(request: HttpRequest, topic: Topic, key: Any) -> JsonResponse:
    """Answer with the latest entries of a stream, oldest first; call it where the user may listen.

    `entries` are the frames as sockets get them. A socket that connects with `position` is sent all
    that comes after them, so a page shows nothing twice and misses nothing. `next` is what the
    client sends as `before` to be answered with the entries before these, or null. `read` is the
    offset up to which `request.user` has read, and `unread` counts the entries after it.

    Raises TypeError or ValueError for a key that the topic does not take.
    """
    name = topic.stream(key)
    at = position_of(name)
    before = request.GET.get("before", str(at.head + 1))
    if not (before.isascii() and before.isdecimal() and 0 < int(before) < 2**63):
        return error(400, "bad_request", "`before` is not the `next` of another page.")
    page = streams.latest(name, at.stream_id, min(at.head, int(before) - 1))
    first = page[0].offset if page else 0
    return JsonResponse(
        {
            "entries": [json.loads(entry.text) for entry in page],
            "position": str(at.place),
            "next": str(first) if first > 1 else None,
            **read_state(at, request.user)._asdict(),
        }
    )


def mark_as_read(request: HttpRequest, topic: Topic, key: Any) -> JsonResponse:
    """Move the mark of `request.user` up to the `offset` in the body, and answer as `history` does.

    Every tab of the user is sent a `notifications.read`. A mark never moves back.
    """
    try:
        offset = offset_in(parse(request.body))
    except MalformedError as failure:
        return error(400, "bad_request", str(failure))
    name = topic.stream(key)
    state = mark_read(name, position_of(name), request.user, offset)
    return JsonResponse(state._asdict())


def position_of(name: str) -> Position:
    """Return where a stream is, once all that was sent to it has its place."""
    complete([name])
    return streams.position(name)
