import json

import pytest

from ..protocol.close_codes import CloseCode, Code, Refusal

# The contract, number by number; the rest of the enum's words are the README's.
COME_BACK = {
    1011: "INTERNAL_ERROR",
    1012: "RESTART",
    4001: "UNAUTHORIZED",
    4104: "UNAVAILABLE",
    4108: "TOO_SLOW",
    4113: "RATE_LIMITED",
}
STAY_AWAY = {4003: "FORBIDDEN", 4504: "TOO_MANY_CONNECTIONS", 4509: "TOO_MANY_ERRORS"}


def test_every_code_says_whether_to_come_back():
    assert {code.value: code.name for code in CloseCode if code.reconnect} == COME_BACK
    assert {code.value: code.name for code in CloseCode if not code.reconnect} == STAY_AWAY


def test_client_that_sent_too_much_has_a_time_to_wait():
    assert CloseCode.RATE_LIMITED.retry_after_ms > 0


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


class ProjectCode(Code):
    ARCHIVED = 4510, "the project is archived", "stop", None


def test_project_has_codes_of_its_own():
    frame = Refusal(ProjectCode.ARCHIVED, "This project is archived.").frame()
    assert (frame["code"], frame["reconnect"], type(frame["code"])) == (4510, False, int)
    assert ProjectCode.ARCHIVED not in [*CloseCode]
