"""The laboratory's checker on histories written by hand: each verdict, and that it can fail."""

import pytest

from tests.wire.checker import check
from tests.wire.report import Finding


class History:
    """A history of one reader in the hall, line by line."""

    def __init__(self, published=3):
        self.now = 0.0
        self.events = []
        self.tell("sat", reader=0, stream="hall")
        self.greet(offset=0)
        for number in range(1, published + 1):
            self.tell("published", stream="hall", number=number)

    def tell(self, did, **what):
        self.now += 1
        self.events.append({"did": did, "at": self.now, **what})

    def greet(self, offset, recovered=None, epoch="e"):
        self.tell("established", reader=0, epoch=epoch, offset=offset, recovered=recovered)

    def read(self, *numbers, offset=None):
        for number in numbers:
            self.tell("frame", reader=0, stream="hall", number=number, offset=offset or number)

    def let_another_read(self, *numbers):
        """Have a second reader read, so that the places of these numbers are known."""
        self.tell("sat", reader=1, stream="hall")
        self.tell("established", reader=1, epoch="e", offset=0, recovered=True)
        for number in numbers:
            self.tell("frame", reader=1, stream="hall", number=number, offset=number)

    def report(self, **options):
        return check(self.events, **options)

    def found(self, **options):
        return self.report(**options).findings


def test_complete_sequence_is_good():
    history = History()
    history.read(1, 2, 3)
    report = history.report()
    assert report.is_good
    assert (report.published, report.expected, report.delivered, report.share) == (3, 3, 3, 100)


def test_run_in_which_nothing_was_read_is_not_good():
    assert not History(published=0).report().is_good


@pytest.mark.parametrize("missing", [1, 2, 3])
def test_number_that_was_not_read_is_lost(missing):
    history = History()
    history.read(*{1, 2, 3} - {missing})
    assert history.found() == [Finding("lost", 0, missing)]
    assert history.report().share == pytest.approx(66.7, abs=0.1)


def test_reader_who_was_told_nothing_on_coming_back_has_lost_what_is_missing():
    """As a server that ignores where the reader goes on: it begins anew at its head."""
    history = History()
    history.read(1)
    history.greet(offset=2)
    history.read(3)
    assert history.found() == [Finding("lost", 0, 2)]
    assert history.report().returns == 1


def test_reader_who_was_told_that_history_is_gone_is_excused_for_what_was_before_only():
    history = History(published=4)
    history.read(1)
    history.greet(offset=2, recovered=False)
    history.read(4)
    history.let_another_read(1, 2, 3, 4)
    assert history.found() == [Finding("lost", 0, 3)]
    assert history.report().unrecovered == 1


def test_what_nobody_read_is_excused_by_the_time_at_which_history_was_said_to_be_gone():
    history = History(published=2)
    history.read(1)
    history.greet(offset=2, recovered=False)
    history.tell("published", stream="hall", number=3)
    assert history.found() == [Finding("lost", 0, 3)]


def test_same_offset_again_is_repeated_which_is_allowed():
    history = History()
    history.read(1, 2, 2, 1, 3)
    assert history.found() == []
    assert history.report().repeated == 2


def test_same_number_at_another_offset_is_doubled():
    history = History()
    history.read(1, 2, 3)
    history.read(2, offset=4)
    assert history.found() == [Finding("doubled", 0, 2)]


def test_same_number_in_another_epoch_is_doubled():
    history = History()
    history.read(1, 2)
    history.greet(offset=0, epoch="f", recovered=False)
    history.read(2, 3)
    assert history.found() == [Finding("doubled", 0, 2)]


def test_without_offsets_the_same_number_is_doubled():
    history = History()
    history.read(1, 2, 3)
    history.tell("frame", reader=0, stream="hall", number=3, offset=None)
    assert history.found() == [Finding("doubled", 0, 3)]


def test_earlier_offset_after_a_later_one_is_reordered():
    history = History()
    history.read(1, 3, 2)
    assert history.found() == [Finding("reordered", 0, 2)]


def test_without_offsets_the_order_is_that_of_the_numbers():
    history = History()
    for number in (2, 1, 3):
        history.tell("frame", reader=0, stream="hall", number=number, offset=None)
    assert history.found() == [Finding("reordered", 0, 1)]


def test_offsets_of_another_epoch_begin_anew():
    history = History()
    history.read(1, 2)
    history.greet(offset=0, epoch="f", recovered=False)
    history.read(3, offset=1)
    assert history.found() == []


@pytest.mark.parametrize("wrong", [{"stream": "side"}, {"number": 9}])
def test_frame_of_another_stream_or_of_no_publisher_is_foreign(wrong):
    history = History()
    history.read(1, 2, 3)
    history.tell("frame", **{"reader": 0, "stream": "hall", "number": 1, "offset": 9} | wrong)
    assert [kind for kind, *_ in history.found()] == ["foreign"]


def test_event_that_was_published_after_the_grace_of_a_revocation_is_late():
    history = History(published=0)
    history.tell("published", stream="hall", number=1)
    history.tell("revoked", reader=0)
    for number in (2, 3, 4):
        history.tell("published", stream="hall", number=number)
    history.read(1, 2, 3, 4)
    assert history.found(grace=2.5) == [Finding("late", 0, 4)]


def test_revoked_reader_has_no_right_to_the_rest_but_to_what_was_between():
    history = History(published=4)
    history.read(1, 3)
    history.tell("revoked", reader=0)
    history.let_another_read(1, 2, 3, 4)
    assert history.found() == [Finding("lost", 0, 2)]


def test_event_whose_sender_raised_is_owed_and_makes_a_run_bad():
    history = History()
    history.tell("failed", stream="hall", number=4)
    history.read(1, 2, 3)
    assert history.found() == [Finding("lost", 0, 4)]
    history.read(4)
    assert not history.report().findings
    assert not history.report().is_good


def test_report_says_what_was_found():
    history = History()
    history.read(1, 3)
    assert str(history.report()) == (
        "3 published, 0 failed, 2 of 3 delivered (66.7 %), 1 lost, 0 doubled, 0 reordered, 0 late,"
        " 0 foreign, 0 repeated, 0 returns, 0 unrecovered\n"
        "  Finding(kind='lost', reader=0, number=2)"
    )
