from concurrent.futures import ThreadPoolExecutor

import pytest

from ..protocol import limits
from ..protocol.limits import SWEEP, Allowance, Allowances


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


def test_amounts_are_taken_together(clock):
    allowance = Allowance(per_minute=600, burst=100)
    assert [allowance.take(60), allowance.take(60), allowance.take(40)] == [True, False, True]
    clock[0] += 6
    assert allowance.take(60)


def test_more_than_a_burst_is_allowed_when_all_is_left_and_then_earned(clock):
    allowance = Allowance(per_minute=600, burst=100)
    assert [allowance.take(250), allowance.take(1)] == [True, False]
    clock[0] += 15
    assert not allowance.take(1)
    clock[0] += 0.2
    assert allowance.take(1)


def test_each_key_has_an_allowance_of_its_own(clock):
    allowances = Allowances(lambda: Allowance(per_minute=60, burst=2))
    waits = [allowances.take(key) for key in ("alice", "alice", "alice", "bob")]
    assert waits == [0, 0, 1000, 0]
    clock[0] += 1
    assert allowances.take("alice") == 0


def test_allowance_that_is_full_again_is_forgotten(clock):
    allowances = Allowances(lambda: Allowance(per_minute=60, burst=2 * SWEEP))
    for number in range(1000):
        allowances.take(f"user {number}")
    allowances.take("alice", 2 * SWEEP)
    clock[0] += SWEEP
    allowances.take("bob")
    assert allowances.used.keys() == {"alice", "bob"}
    assert allowances.take("alice", SWEEP + 1) > 0


def test_allowance_is_shared_by_threads(clock):
    allowances = Allowances(lambda: Allowance(per_minute=60, burst=500))
    with ThreadPoolExecutor(8) as pool:
        waits = [*pool.map(lambda _: allowances.take("alice"), range(2000))]
    assert waits.count(0) == 500
