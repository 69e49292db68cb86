"""A site loses nothing when a machine is cut off; the trial of all is `several_machines`."""

from pathlib import Path

import pytest

from tests.laboratory.faults import Span
from tests.laboratory.machines import machines
from tests.laboratory.schedules import Fault, Schedule
from tests.laboratory.several_machines import Completion, completions, plan, run

pytestmark = pytest.mark.full


async def test_readers_of_a_machine_that_was_cut_off_end_with_everything(tmp_path):
    cut = Fault(1, "cut_off_machine", 3, server=1)
    schedule = Schedule("a machine is cut off", (cut,))
    trial = await run(tmp_path, schedule, plan(100, schedule, every=0.05))
    assert trial.result.is_good, trial
    # What was sent as the cut began has waited for its end.
    assert trial.completions[cut].longest > 2, trial


def test_machines_are_gone_after_a_failure():
    with pytest.raises(RuntimeError), machines(2) as made:
        names = [Path("/run/netns", machine.name) for machine in made]
        assert all(name.exists() for name in names)
        raise RuntimeError
    assert not any(name.exists() for name in names)


def test_fault_is_over_when_the_last_reader_has_what_was_sent_before_its_end():
    cut, restart = Fault(1, "cut_off_machine", 3), Fault(8, "stop_server")
    spans = {cut: Span(1.0, 4.0), restart: Span(8.0, 9.0)}
    sent = [
        {"did": "published", "stream": "hall", "number": number, "at": at}
        for number, at in enumerate([0.5, 2.0, 5.0])
    ]
    read = [
        {"did": "frame", "reader": reader, "stream": "hall", "number": number, "at": at}
        for reader, number, at in [(0, 0, 0.6), (0, 1, 6.5), (1, 1, 4.5), (1, 2, 7), (0, 1, 8)]
    ]
    expected = {cut: Completion(after=2.5, longest=4.5), restart: Completion(0, 0)}
    assert completions([*sent, *read], spans) == expected
