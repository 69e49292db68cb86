import datetime
import uuid

import pytest
from django.utils.translation import gettext_lazy
from hypothesis import given, settings
from hypothesis import strategies as st

from api import frames

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)  # fmt: skip


@settings(max_examples=40, deadline=None)
@given(st.dictionaries(st.text(), json_values))
def test_what_was_encoded_is_parsed_again(frame):
    assert frames.parse(frames.encode(frame)) == frame


@pytest.mark.parametrize(
    "text",
    ["", "{", "NaN", "-Infinity", "1e999", "[-1e999]", "9" * 5000, "[" * 100_000, b"\xff\xfe"],
    ids=lambda text: repr(text[:10]),
)
def test_what_not_every_reader_understands_is_malformed(text):
    with pytest.raises(frames.MalformedError, match="is not JSON"):
        frames.parse(text)


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


@pytest.mark.parametrize("value", [float("nan"), float("inf"), b"bytes", object()])
def test_what_json_cannot_spell_raises_at_the_sender(value):
    with pytest.raises((TypeError, ValueError)):
        frames.encode({"value": value})
