"""Answers with what was sent to a stream, so that a page can show a list and then listen."""

import json
from typing import Any

from django.http import HttpRequest, JsonResponse

from ..authority.topics import Topic
from ..delivery import streams
from ..delivery.hub import completed_positions
from ..rest import error


def history(request: HttpRequest, topic: Topic, key: Any) -> JsonResponse:
    """Answer with the latest entries of a stream, oldest first; call it where the user may listen.

    `entries` are the frames as sockets get them. A socket that connects with `position` is sent all
    that comes after them, so a page shows nothing twice and misses nothing. `next` is what the
    client sends as `before` to be answered with the entries before these, or null.

    Raises TypeError or ValueError for a key that the topic does not take.
    """
    name = topic.stream(key)
    at = completed_positions([name]).get(name) or streams.begin([name])[name]
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
        }
    )
