import json

import pytest

from api.close_codes import CloseCode, Refusal

# The contract, number by number; the rest of the enum's words are the README's.
COME_BACK = {1011, 1012, 4001, 4104, 4108, 4113}
STAY_AWAY = {4003, 4504, 4509}


def test_every_code_says_whether_to_come_back():
    assert {code.value for code in CloseCode if code.reconnect} == COME_BACK
    assert {code.value for code in CloseCode if not code.reconnect} == STAY_AWAY


@pytest.mark.parametrize("code", [c for c in CloseCode if c not in (1011, 1012, 4003)])
def test_range_tells_a_client_that_does_not_know_the_code(code):
    assert code.reconnect == (4000 <= code <= 4499)


@pytest.mark.parametrize("code", CloseCode)
def test_code_is_told_in_words(code):
    assert code.meaning and code.client


def test_closing_frame_has_the_contracts_keys():
    frame = Refusal(CloseCode.FORBIDDEN, "You are not a member.").frame()
    assert json.loads(json.dumps(frame)) == {
        "type": "connection.closing",
        "code": 4003,
        "reason": "You are not a member.",
        "reconnect": False,
        "retry_after_ms": None,
    }
    # autobahn takes no subclass of int for a close code.
    assert type(frame["code"]) is int
