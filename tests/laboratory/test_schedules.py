"""The laboratory's schedules: a seed names one, and each fault is one that can happen."""

from itertools import pairwise

import pytest

from tests.laboratory.faults import Faults
from tests.laboratory.schedules import KINDS, PROMISED, Fault, Schedule, at_random

SEEDS = range(50)


def random_schedules():
    return [at_random(seed, seconds=20, servers=2) for seed in SEEDS]


def test_same_seed_is_the_same_schedule_and_another_seed_another():
    assert random_schedules() == random_schedules()
    assert len({schedule.faults for schedule in random_schedules()}) == len(SEEDS)


def test_random_schedules_know_every_fault_and_hit_every_server():
    faults = [fault for schedule in random_schedules() for fault in schedule.faults]
    assert {fault.kind for fault in faults} == {*KINDS}
    assert {fault.server for fault in faults if fault.part == "server"} == {0, 1}


def test_faults_of_one_part_do_not_overlap():
    for schedule in random_schedules():
        for part in {(fault.part, fault.server) for fault in schedule.faults}:
            hits = [fault for fault in schedule.faults if (fault.part, fault.server) == part]
            for one, next_one in pairwise(hits):
                assert one.at + one.seconds <= next_one.at


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_of_fault_can_happen(kind):
    assert callable(getattr(Faults, kind))


def test_promised_schedules_are_of_faults_that_can_happen():
    assert {fault.kind for s in PROMISED for fault in s.faults} <= {*KINDS}


def test_schedule_says_when_what_is_hit_and_for_how_long():
    faults = (Fault(1, "flush_redis"), Fault(2.5, "kill_server", 0.5, server=1))
    assert (
        str(Schedule("both", faults)) == "both (1 s: flush redis; 2.5 s: kill server 1 for 0.5 s)"
    )
    assert Schedule("both", faults).seconds == 4


def test_schedule_of_some_parts_lasts_as_long():
    faults = (Fault(1, "flush_redis"), Fault(2, "hold_sender", 3))
    schedule = Schedule("both", faults)
    assert schedule.only("redis").faults == faults[:1]
    assert schedule.only("redis").seconds == schedule.seconds
