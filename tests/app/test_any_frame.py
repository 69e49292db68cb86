"""What holds for frames of any content, which Hypothesis thinks of."""

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from realtime.protocol import frames

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


@given(st.text(), st.integers(1, 10**18 - 1))
def test_place_becomes_part_of_the_frame(value, offset):
    placed = json.loads(frames.placed(frames.encode_entry({"value": value}), offset, "t.a-g"))
    assert placed == {"value": value, "offset": offset, "position": f"{offset}.t.a-g"}
    assert frames.place_in(placed["position"]) == (offset, "t.a-g")
