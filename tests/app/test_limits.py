import pytest

from realtime.protocol import limits
from realtime.protocol.limits import Allowance


@pytest.fixture
def clock(monkeypatch):
    """A clock that stands until it is set."""
    now = [1000.0]
    monkeypatch.setattr(limits.time, "monotonic", lambda: now[0])
    return now


def taken(allowance, tries=1000):
    return sum(allowance.take() for _ in range(tries))


def test_burst_is_allowed_and_not_one_more(clock):
    assert taken(Allowance(per_minute=120, burst=20)) == 20


def test_allowance_grows_with_time_up_to_a_burst(clock):
    allowance = Allowance(per_minute=120, burst=20)
    taken(allowance)
    clock[0] += 0.49
    assert taken(allowance) == 0
    clock[0] += 0.02
    assert taken(allowance) == 1
    clock[0] += 3600
    assert taken(allowance) == 20


def test_long_run_is_what_a_minute_allows(clock):
    allowance = Allowance(per_minute=120, burst=20)
    passed = 0
    for _ in range(600):
        passed += taken(allowance, 5)
        clock[0] += 0.1
    assert passed == pytest.approx(120 + 20, abs=1)


def test_wait_that_is_told_brings_back_a_whole_burst(clock):
    allowance = Allowance(per_minute=120, burst=20)
    taken(allowance)
    clock[0] += allowance.full_after_ms / 1000
    assert taken(allowance) == 20
