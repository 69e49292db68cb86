"""The laboratory's checker on histories written by hand: each verdict, and that it can fail."""

import pytest

from tests.laboratory.checker import check
from tests.laboratory.findings import Finding


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

    def greet(self, offset, recovered=None, tag="t"):
        place = {"offset": offset, "position": f"{offset}.{tag}"}
        self.tell("established", reader=0, **place, recovered=recovered)

    def read(self, *numbers, offset=None, tag="t", reader=0):
        """Have a reader read events, by default at the offsets that are their numbers."""
        for number in numbers:
            where = offset or number
            place = {"offset": where, "position": f"{where}.{tag}"}
            self.tell("frame", reader=reader, stream="hall", number=number, **place)

    def omit(self, offset, tag="t"):
        place = {"offset": offset, "position": f"{offset}.{tag}"}
        self.tell("omitted", reader=0, **place, size=2_000_000)

    def let_another_read(self, *numbers, tag="t"):
        """Have a second reader read, so that the places of these numbers are known."""
        self.tell("sat", reader=1, stream="hall")
        place = {"offset": 0, "position": "0.t"}
        self.tell("established", reader=1, **place, recovered=True)
        self.read(*numbers, tag=tag, reader=1)

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
    for offset, number in enumerate(sorted({1, 2, 3} - {missing}), start=1):
        history.read(number, offset=offset)
    assert history.found() == [Finding("lost", 0, missing)]
    assert history.report().share == pytest.approx(66.7, abs=0.1)


def test_reader_who_was_told_nothing_on_coming_back_has_lost_what_is_missing():
    """As a server that ignores where the reader goes on: it begins anew at its head."""
    history = History()
    history.read(1)
    history.greet(offset=2)
    history.read(3)
    assert history.found() == [Finding("lost", 0, 2), Finding("skipped", 0, 2)]
    assert history.report().returns == 1


def test_reader_who_was_told_that_history_is_gone_is_excused_for_what_was_before_only():
    history = History(published=4)
    history.read(1)
    history.greet(offset=2, recovered=False)
    history.read(4)
    history.let_another_read(1, 2, 3, 4)
    assert history.found() == [Finding("lost", 0, 3), Finding("skipped", 0, 3)]
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


def test_same_number_in_another_history_is_doubled():
    history = History()
    history.read(1, 2)
    history.greet(offset=0, tag="u", recovered=False)
    history.read(2, offset=1, tag="u")
    history.read(3, offset=2, tag="u")
    assert history.found() == [Finding("doubled", 0, 2)]


def test_number_that_is_pending_again_in_a_restored_database_is_repeated():
    history = History()
    history.events.insert(1, {"did": "forgot", "stream": "hall", "number": None, "position": "2.t"})
    history.read(1, 2)
    history.greet(offset=1, recovered=False)
    history.read(2, tag="u")
    history.read(3, tag="u")
    assert history.found() == []


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


def test_offsets_begin_anew_where_the_reader_is_told_that_history_is_gone():
    history = History()
    history.read(1, 2)
    history.greet(offset=0, tag="u", recovered=False)
    history.read(3, offset=1, tag="u")
    assert history.found() == []


@pytest.mark.parametrize("greeted", [True, False])
def test_offset_with_another_entry_is_exchanged_where_the_reader_is_told_nothing(greeted):
    history = History(published=4)
    history.read(1, 2, 3)
    if greeted:
        history.greet(offset=2, recovered=True)
    history.read(4, offset=3, tag="u")
    assert history.found() == [Finding("exchanged", 0, 4)]


def test_entry_that_follows_another_one_than_it_does_for_others_is_exchanged():
    """The database went back to 1, and grew beyond 2 before the reader came back."""
    history = History(published=4)
    history.events.insert(1, {"did": "forgot", "stream": "hall", "number": 2, "position": "2.t"})
    history.read(1, 2)
    history.greet(offset=2, recovered=True)
    history.read(4, offset=3, tag="u")
    history.tell("sat", reader=1, stream="hall")
    history.tell("established", reader=1, offset=1, position="1.t", recovered=None)
    history.read(3, offset=2, tag="u", reader=1)
    history.read(4, offset=3, tag="u", reader=1)
    assert Finding("exchanged", 1, 4) in history.found()


def test_position_that_names_two_events_is_ambiguous():
    history = History()
    history.let_another_read(1, 2, 3)
    history.read(1)
    history.read(3, offset=2)
    history.read(2, offset=3)
    assert history.found() == [Finding("ambiguous", 0, 3), Finding("ambiguous", 0, 2)]


def test_event_that_the_database_forgot_is_owed_to_nobody():
    history = History()
    history.events.insert(1, {"did": "forgot", "stream": "hall", "number": 2, "position": "2.t"})
    history.read(1)
    history.read(3, offset=2, tag="u")
    assert history.found() == []


def test_event_that_was_published_after_a_greeting_is_not_excused_by_it():
    """An offset that is smaller is no excuse: the database has gone back since."""
    history = History(published=0)
    history.greet(offset=9, recovered=False)
    history.tell("published", stream="hall", number=1)
    history.let_another_read(1)
    assert history.found() == [Finding("lost", 0, 1)]


def test_planted_row_is_to_be_omitted():
    history = History()
    history.events.insert(1, {"did": "planted", "stream": "hall", "position": "2.p", "at": 1})
    history.read(1)
    history.omit(2, tag="p")
    history.read(2, offset=3)
    history.read(3, offset=4)
    assert history.report().is_good


@pytest.mark.parametrize("at_the_end", [True, False])
def test_planted_row_of_which_the_reader_is_not_told_is_skipped(at_the_end):
    history = History(published=2)
    position = "3.p" if at_the_end else "2.p"
    history.tell("planted", stream="hall", position=position)
    history.read(1)
    history.read(2, offset=2 if at_the_end else 3)
    assert history.found() == [Finding("skipped", 0, int(position[0]))]


def test_omitted_entry_that_was_not_planted_is_found_and_lost():
    history = History()
    history.read(1)
    history.omit(2)
    history.read(3)
    assert history.found() == [Finding("omitted", 0, 2), Finding("lost", 0, 2)]


def test_planted_row_that_is_omitted_again_is_repeated():
    history = History(published=1)
    history.events.insert(1, {"did": "planted", "stream": "hall", "position": "1.p", "at": 1})
    history.omit(1, tag="p")
    history.omit(1, tag="p")
    history.read(1, offset=2)
    assert history.found() == []
    assert history.report().repeated == 1


def test_event_that_was_read_before_its_transaction_committed_is_early():
    history = History(published=0)
    history.tell("published", stream="hall", number=1)
    history.read(1)
    history.events[-1]["at"] = history.events[-2]["at"] - 1
    assert history.found() == [Finding("early", 0, 1)]


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
    assert history.found() == [Finding("lost", 0, 2), Finding("skipped", 0, 2)]


def test_revoked_reader_has_no_right_to_what_is_published_later_at_a_smaller_offset():
    """The database has gone back meanwhile."""
    history = History(published=0)
    history.greet(offset=8, recovered=False)
    history.tell("published", stream="hall", number=1)
    history.tell("revoked", reader=0)
    history.tell("published", stream="hall", number=2)
    history.read(1, offset=9)
    history.let_another_read(2, tag="u")
    found = [finding for finding in history.found(grace=9) if finding.reader == 0]
    assert found == []


def test_event_whose_sender_raised_is_owed_and_makes_a_run_bad():
    history = History()
    history.tell("failed", stream="hall", number=4)
    history.read(1, 2, 3)
    assert history.found() == [Finding("lost", 0, 4)]
    history.read(4)
    assert not history.report().findings
    assert not history.report().is_good


def test_slowest_event_is_that_of_a_reader_who_was_there():
    history = History(published=1)
    history.read(1)
    history.let_another_read(1)
    assert history.report().slowest == 4
    for _ in range(3):
        history.greet(offset=1, recovered=True)
    history.tell("frame", reader=0, stream="hall", number=1, offset=1, position="1.t")
    assert history.report().slowest == 4


@pytest.mark.parametrize(("returned", "found"), [(2, [Finding("overtaken", None, 1)]), (4, [])])
def test_event_behind_one_that_was_sent_after_it_had_returned_is_overtaken(returned, found):
    history = History(published=0)
    for number, at, until in ((1, 1, returned), (2, 3, 9)):
        event = {"stream": "hall", "number": number, "at": at, "returned": until}
        history.events.append({"did": "published"} | event)
    history.now = 9
    history.read(2, offset=1)
    history.read(1, offset=2)
    assert history.found() == found


@pytest.mark.parametrize(("second", "found"), [(5, [Finding("overtaken", None, 1)]), (6, [])])
def test_events_of_one_transaction_keep_their_order(second, found):
    history = History(published=0)
    for number, transaction in ((1, 5), (2, second)):
        history.tell("published", stream="hall", number=number, transaction=transaction)
    history.read(2, offset=1)
    history.read(1, offset=2)
    assert history.found() == found


def test_report_says_what_was_found():
    history = History()
    history.read(1, 3)
    assert str(history.report()) == (
        "3 published, 0 failed, 2 of 3 delivered (66.7 %), 1 lost, 0 doubled, 0 reordered, 0 late,"
        " 0 foreign, 0 early, 0 exchanged, 0 ambiguous, 0 omitted, 1 skipped, 0 overtaken,"
        " 0 repeated, 0 returns, 0 unrecovered\n"
        "  Finding(kind='lost', reader=0, number=2)\n"
        "  Finding(kind='skipped', reader=0, number=2)"
    )
