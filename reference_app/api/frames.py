"""JSON as the wire knows it: what may come in, and how a frame goes out.

MessageError            a message that is answered with an `error` frame
├── MalformedError      it is not what the wire knows
└── TooLargeError       it is longer than a message may be
"""

import json

from django.core.serializers.json import DjangoJSONEncoder

from .limits import limit


class MessageError(ValueError):
    """A message that is answered with an `error` frame: a word for programs, and a sentence."""

    def __init__(self, code: str, reason: str):
        super().__init__(reason)
        self.code = code


class MalformedError(MessageError):
    """What came in is not what the wire knows; the sentence says what that is."""

    def __init__(self, reason: str):
        super().__init__("malformed", reason)


class TooLargeError(MessageError):
    """What came in is longer than a message may be; it was not read."""

    def __init__(self, most: int):
        super().__init__("too_large", f"A message has at most {most} bytes.")


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

    Raises a MessageError where there is no message.
    """
    if text is None:
        raise MalformedError("Messages are text, not binary.")
    most = limit("WEBSOCKET_MAX_MESSAGE_BYTES")
    if len(text) > most or len(text.encode(errors="surrogatepass")) > most:
        raise TooLargeError(most)
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
