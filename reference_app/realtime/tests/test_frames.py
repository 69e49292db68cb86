import datetime
import json
import uuid
from decimal import Decimal
from functools import reduce

import pytest
from django.utils.translation import gettext_lazy

from ..protocol import frames


@pytest.mark.parametrize(
    "text",
    ["", "{", "NaN", "-Infinity", "1e999", "[-1e999]", "9" * 5000, "[" * 60, b"\xff\xfe"],
    ids=lambda text: repr(text[:10]),
)
def test_what_not_every_reader_understands_is_malformed(text):
    with pytest.raises(frames.MalformedError, match="is not JSON"):
        frames.parse(text)


def nested(levels: int, wide: int = 0) -> str:
    """Return JSON with so many levels, beside lists that are shallow."""
    return "[" * levels + '{"[": "[[["}, []' * bool(wide) + ", []" * wide + "]" * levels


@pytest.mark.parametrize("encode", [str, str.encode, lambda text: text.encode("utf-16")])
@pytest.mark.parametrize("wide", [0, 500])
def test_json_has_as_many_levels_as_allowed_and_not_one_more(encode, wide):
    most = 64 - bool(wide)  # the shallow ones are a level, too
    assert frames.parse(encode(nested(most, wide))) == json.loads(nested(most, wide))
    for levels in (most + 1, 900, 980, 5_000, 100_000):
        with pytest.raises(frames.TooDeepError, match="have at most 64 levels"):
            frames.parse(encode(nested(levels, wide)))


@pytest.mark.parametrize("text", ["[]", "7", "null", '"ping"', "{}", '{"type": 1}'])
def test_json_that_is_no_message_is_malformed(text):
    with pytest.raises(frames.MalformedError, match="an object with a type|a JSON object"):
        frames.message_in(text)


def test_binary_frame_is_no_message():
    with pytest.raises(frames.MalformedError, match="not binary"):
        frames.message_in(None)


def test_datetimes_uuids_and_translations_become_strings():
    moment = datetime.datetime(2025, 1, 15, 10, 30, tzinfo=datetime.UTC)
    frame = {"at": moment, "id": uuid.UUID(int=7), "title": gettext_lazy("Hello"), 7: "key"}
    assert frames.parse(frames.encode(frame)) == {
        "at": "2025-01-15T10:30:00Z",
        "id": "00000000-0000-0000-0000-000000000007",
        "title": "Hello",
        "7": "key",
    }


# What a sender may get wrong, and the words that name it.
UNFIT = {
    "not a number": (float("nan"), "not JSON compliant"),
    "infinity": (float("-inf"), "not JSON compliant"),
    "bytes": (b"bytes", "bytes is not JSON serializable"),
    "an object": (object(), "object is not JSON serializable"),
    "a set": ({1}, "set is not JSON serializable"),
    "a tuple as key": ({(1, 2): 1}, "keys must be"),
    "half a surrogate pair": ("\ud83d", "half a surrogate pair"),
    "half a surrogate pair as key": ({"\udc00": 1}, "half a surrogate pair"),
    "2^53": (2**53, "9007199254740992: it is beyond"),
    "-2^53": ([{"id": -(2**53)}], "-9007199254740992: it is beyond"),
    "a snowflake id": (1_541_815_603_606_036_480, "Send a string"),
    "a circle": (CIRCLE := [], "[Cc]ircular"),
    "a great depth": (reduce(lambda inner, _: [inner], range(100_000), 0), "at most 64 levels"),
    "lists in lists": (reduce(lambda inner, _: (inner,), range(64), 0), "at most 64 levels"),
    "objects in objects": (reduce(lambda inner, _: {"a": inner}, range(64), 0), "64 levels"),
}
CIRCLE.append(CIRCLE)


@pytest.mark.parametrize(("value", "words"), UNFIT.values(), ids=UNFIT)
def test_what_a_browser_would_not_read_as_it_is_raises_at_the_sender(value, words):
    with pytest.raises((TypeError, ValueError), match=words):
        frames.encode_entry({"value": value})


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_number_that_is_not_json_is_in_no_frame_of_the_server_itself(value):
    """A page could not read the answer: `JSON.parse` raises a SyntaxError."""
    with pytest.raises(ValueError, match="not JSON compliant"):
        frames.encode({"type": "pong", "timestamp": value})


FIT = [2**53 - 1, -(2**53) + 1, 1e300, 0.1234567890123456789, "9" * 30, "🦉", None, {"9" * 20: 1}]
FIT += [reduce(lambda inner, _: [inner], range(62), []), [[], {}] * 500]
FIT += [Decimal("12345678901234567890.5"), "\x00", "é\u2028"]


@pytest.mark.parametrize("value", FIT, ids=repr)
def test_what_a_browser_reads_is_sent_in_utf_8(value):
    text = frames.encode_entry({"value": value})
    expected = str(value) if isinstance(value, Decimal) else value
    assert json.loads(frames.placed(text, 7, "tag"))["value"] == expected
    assert "\\u" not in text.replace("\\u0000", "")


@pytest.mark.parametrize("letter", ["x", "é", "🦉"])
def test_frame_has_as_many_bytes_as_allowed_and_not_one_more(settings, letter):
    """With the largest place that it can get, so that none is found too large afterwards."""
    settings.REALTIME_MAX_FRAME_BYTES = 1_000
    frame = {"v": ""}
    rest = 1_000 - frames.ROOM - len(json.dumps(frame))
    frame["v"] = "x" * (rest % len(letter.encode())) + letter * (rest // len(letter.encode()))
    text = frames.encode_entry(frame)
    assert len(frames.placed(text, 2**63 - 1, "t" * 8).encode()) == 1_000
    with pytest.raises(frames.FrameTooLargeError, match="has 1001 bytes, and 1000 are allowed"):
        frames.encode_entry({"v": frame["v"] + "x"})
