"""JSON as the wire knows it: what may come in, and how a frame goes out."""

import json

from django.core.serializers.json import DjangoJSONEncoder


class MalformedError(ValueError):
    """What came in is not what the wire knows; the sentence says what that is."""


def parse(text: str | bytes):
    """Return the value that `text` spells; raises MalformedError for everything else.

    Python reads `NaN`, and `1e999` as infinity, and would write both back: no browser can parse
    them. A number of 5,000 digits raises ValueError, 100,000 times `[` RecursionError.
    """
    try:
        return json.loads(text, parse_constant=_finite, parse_float=_finite)
    except (ValueError, RecursionError):
        raise MalformedError("The message is not JSON.") from None


def message_in(text: str | None) -> dict:
    """Return the message in a client's frame; None stands for a binary one.

    Raises MalformedError where there is no message.
    """
    if text is None:
        raise MalformedError("Messages are text, not binary.")
    message = parse(text)
    if not isinstance(message, dict) or not isinstance(message.get("type"), str):
        raise MalformedError("A message is a JSON object with a type.")
    return message


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
