"""JSON as the wire knows it: what may come in, and how a frame goes out."""

import json

from django.core.serializers.json import DjangoJSONEncoder


class MalformedJSONError(ValueError):
    """What came in is not JSON that every reader understands alike."""


def parse(text: str | bytes):
    """Return the value that `text` spells; raises MalformedJSONError for everything else.

    Python reads `NaN`, and `1e999` as infinity, and would write both back: no browser can parse
    them. A number of 5,000 digits raises ValueError, 100,000 times `[` RecursionError.
    """
    try:
        return json.loads(text, parse_constant=_finite, parse_float=_finite)
    except (ValueError, RecursionError):
        raise MalformedJSONError("This is not JSON.") from None


def encode(frame: dict) -> str:
    """Return the text of a frame; datetimes and UUIDs become strings.

    Raises TypeError or ValueError for what JSON cannot spell: at the sender, where the mistake is.
    """
    return json.dumps(frame, cls=DjangoJSONEncoder, allow_nan=False)


def _finite(text: str) -> float:
    number = float(text)
    if number - number != 0:
        raise ValueError(text)
    return number
