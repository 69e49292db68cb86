"""Reads the JSON that clients send, and writes the JSON of frames.

MessageError            a message that is answered with an `error` frame
├── MalformedError      it is not what the wire knows
│   └── TooDeepError    its objects and lists are nested deeper than they may be
├── TooLargeError       it is longer than a message may be
└── UnavailableError    it cannot be judged now, and may come again

ValueError
└── FrameTooLargeError  what a sender wants to send is longer than a frame may be
"""

import json
import re
from collections.abc import Iterable
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder

from ..conf import conf

# What the server sends to a client, before it becomes JSON.
Frame = dict[str, Any]


class MessageError(ValueError):
    """A message that is answered with an `error` frame, by a word for programs and a sentence."""

    def __init__(self, code: str, reason: str):
        super().__init__(reason)
        self.code = code

    def frame(self) -> Frame:
        return {"type": "error", "code": self.code, "message": str(self)}


class MalformedError(MessageError):
    """The message is not what the contract allows, which its sentence states."""

    def __init__(self, reason: str):
        super().__init__("malformed", reason)


class TooDeepError(MalformedError):
    """Objects and lists are nested deeper than REALTIME_MAX_JSON_DEPTH."""

    def __init__(self) -> None:
        super().__init__(f"Objects and lists have at most {conf.MAX_JSON_DEPTH} levels in JSON.")


class TooLargeError(MessageError):
    """The message is longer than allowed, and was not read."""

    def __init__(self, most: int):
        super().__init__("too_large", f"A message has at most {most} bytes.")


class UnavailableError(MessageError):
    """The message cannot be answered now, and the client may send it again.

    It is not the client's mistake.
    """

    def __init__(self, reason: str):
        super().__init__("unavailable", reason)


class FrameTooLargeError(ValueError):
    """A sender's frame is larger than REALTIME_MAX_FRAME_BYTES."""


def parse(text: str | bytes) -> Any:
    """Return the value that `text` spells; raises MalformedError for everything else.

    Python reads `NaN`, and `1e999` as infinity, and would write both back: no browser can parse
    them. A number of 5,000 digits raises ValueError, 100,000 times `[` RecursionError. What is
    nested deeper than REALTIME_MAX_JSON_DEPTH could be read, and not be written again.
    """
    try:
        value = json.loads(text, parse_constant=_finite, parse_float=_finite)
    except ValueError:
        raise MalformedError("The message is not JSON.") from None
    except RecursionError:
        raise TooDeepError from None
    _check_depth(text, value)
    return value


def message_in(text: str | None) -> dict[str, Any]:
    """Return the message in a client's frame; None stands for a binary one.

    Raises a MessageError where there is no message.
    """
    if text is None:
        raise MalformedError("Messages are text, not binary.")
    most = conf.MAX_MESSAGE_BYTES
    if len(text) > most or len(text.encode(errors="surrogatepass")) > most:
        raise TooLargeError(most)
    message = parse(text)
    if not isinstance(message, dict) or not isinstance(message.get("type"), str):
        raise MalformedError("A message is a JSON object with a type.")
    return message


def read_frame(read: int, unread: int) -> Frame:
    """Return the frame that tells a tab how far its user has read, perhaps in another one."""
    return {"type": "notifications.read", "offset": read, "unread": unread}


def encode(frame: Frame) -> str:
    """Return the text of a frame that the server sends by itself, in ASCII."""
    return json.dumps(frame, cls=DjangoJSONEncoder, allow_nan=False)


# JavaScript has no other integers than those up to 2^53 - 1; it rounds larger ones (RFC 7493, 2.2).
LARGEST_INTEGER = 2**53 - 1

# Only a text with so many digits in a row can hold a larger one.
MANY_DIGITS = re.compile(r"\d{16}")


def encode_entry(frame: Frame) -> str:
    """Return the text of a frame that becomes an entry, in UTF-8 and without its place.

    Datetimes, UUIDs and Decimals become strings. Raises TypeError for what JSON does not know, and
    ValueError for what no browser would read as it was sent (RFC 7493): NaN, infinity, integers
    beyond 2^53 - 1, half a surrogate pair. Raises TooDeepError and FrameTooLargeError, which are
    ValueErrors, for a frame above REALTIME_MAX_JSON_DEPTH and REALTIME_MAX_FRAME_BYTES.
    """
    try:
        text = json.dumps(frame, cls=DjangoJSONEncoder, allow_nan=False, ensure_ascii=False)
        size = len(text.encode()) + ROOM
    except UnicodeEncodeError:
        raise ValueError("A frame cannot hold half a surrogate pair: no UTF-8 spells it.") from None
    except RecursionError:
        raise TooDeepError from None
    if MANY_DIGITS.search(text):
        json.loads(text, parse_int=_integer_of_a_browser)
    if size > (most := conf.MAX_FRAME_BYTES):
        raise FrameTooLargeError(
            f"The frame has {size} bytes, and {most} are allowed (REALTIME_MAX_FRAME_BYTES). "
            "Send a link to what is large."
        )
    _check_depth(text, frame)
    return text


# As `encode` begins the text of a frame that has its type first.
TYPE_FIRST = re.compile(r'{"type": "([^"\\]*)"')


def type_of(text: str) -> str:
    """Return the type of a frame, from its text."""
    first = TYPE_FIRST.match(text)
    return first[1] if first else str(json.loads(text).get("type"))


def position(offset: int, tag: str) -> str:
    """Return the text by which a client names a place in a stream."""
    return f"{offset}.{tag}"


def place_in(position: str) -> tuple[int, str] | None:
    """Return the offset and the tag that a position names, or None for what is no position."""
    offset, _, tag = position.partition(".")
    # More digits are no offset of a database.
    is_number = offset.isascii() and offset.isdecimal() and len(offset) < 19
    return (int(offset), tag) if is_number and tag else None


def around_offsets(text: str, tag: str) -> tuple[str, str, str]:
    """Return what stands before, between and after the two offsets in the text of an entry.

    `text` is the entry's without its place.
    """
    return f'{text[:-1]}, "offset": ', ', "position": "', f'.{tag}"}}'


def placed(text: str, offset: int, tag: str) -> str:
    """Return the text of an entry with its place, from its text without."""
    return str(offset).join(around_offsets(text, tag))


# Bytes that the largest place adds to a text.
ROOM = len(placed("{}", 2**63 - 1, "t" * 8)) - len("{}")


def fitting(text: str, offset: int, tag: str) -> str:
    """Return an entry's text, or what stands in its place where it is above the limit."""
    most = conf.MAX_FRAME_BYTES
    if 4 * len(text) <= most or (size := len(text.encode())) <= most:
        return text
    return omitted(offset, tag, size)


def omitted(offset: int, tag: str, size: int) -> str:
    """Return what stands in the place of an entry that is too large to be sent."""
    return placed(encode({"type": "entry.omitted", "size": size}), offset, tag)


def _check_depth(text: str | bytes, value: Any) -> None:
    """Raise TooDeepError where the value of a text is nested too deep.

    Most texts open so few objects and lists that their values need not be looked at.
    """
    most = conf.MAX_JSON_DEPTH
    letters = text if isinstance(text, str) else text.decode("latin-1")
    if letters.count("[") + letters.count("{") <= most:
        return
    level = [value]
    for _ in range(most):
        level = [each for outer in level for each in _inside(outer)]
    if any(isinstance(each, dict | list | tuple) for each in level):
        raise TooDeepError


def _inside(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list | tuple) else ()


def _integer_of_a_browser(text: str) -> int:
    number = int(text)
    if abs(number) > LARGEST_INTEGER:
        raise ValueError(
            f"A browser would round the integer {text}: it is beyond 2^53 - 1. Send a string."
        )
    return number


def _finite(text: str) -> float:
    number = float(text)
    if number - number != 0:
        raise ValueError(text)
    return number
