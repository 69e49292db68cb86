"""Reads the history of a run, and says what became of each event for each reader.

A history is a sequence of dicts: who sat where, what was published, then what each reader saw.

    {"did": "sat", "reader": 0, "stream": "hall"}
    {"did": "published", "stream": "hall", "number": 1, "at": 12.5}
    {"did": "failed", "stream": "hall", "number": 2, "at": 12.5}    the sender raised
    {"did": "revoked", "reader": 0, "at": 13.0}
    {"did": "established", "reader": 0, "at": 12.0, "epoch": "e", "offset": 0, "recovered": null}
    {"did": "frame", "reader": 0, "at": 12.6, "stream": "hall", "number": 1, "offset": 1}

Numbers are the publisher's own count of each stream: what the app says of itself is not believed.
What failed to be sent is owed, too: it has happened, and its readers know nothing of it. Readers of
an app without offsets have None for epoch, offset and recovered.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from tests.wire.report import Finding, Report


class Place(NamedTuple):
    """Where an event is in its stream."""

    epoch: str | None
    offset: int


class Reading:
    """What one reader was told, in order."""

    def __init__(self, stream: str):
        self.stream = stream
        self.places: dict[int, Place] = {}
        self.last: Place | None = None
        self.epoch: str | None = None
        # Up to these places, or before these times where no place is known, nothing is owed.
        self.excuses: list[tuple[Place, float]] = []
        self.revoked_at: float | None = None

    def greet(self, event: dict) -> None:
        """Take a greeting: the first says where reading begins, another may say what is gone."""
        self.epoch = event["epoch"]
        if not self.excuses or event["recovered"] is False:
            self.excuses.append((Place(self.epoch, event["offset"] or 0), event["at"]))

    def read(self, number: int, offset: int | None) -> str | None:
        """Take a frame, and return what is wrong with it: a kind, "repeated" or None."""
        place = Place(self.epoch, number if offset is None else offset)
        if number in self.places:
            is_known = offset is not None and self.places[number] == place
            return "repeated" if is_known else "doubled"
        self.places[number] = place
        before, self.last = self.last, place
        if before and before.epoch == place.epoch and place.offset < before.offset:
            self.last = before
            return "reordered"
        return None

    def is_excused(self, place: Place | None, published_at: float) -> bool:
        """Whether an event that was not read was not owed either."""
        for upto, told_at in self.excuses:
            same_epoch = place is not None and place.epoch == upto.epoch
            if place.offset <= upto.offset if same_epoch else published_at <= told_at:
                return True
        # A revoked reader may not have come back for what was still on its way.
        return self.revoked_at is not None and (
            place is None or self.last is None or place.offset > self.last.offset
        )


class Checker:
    """Takes a history, event by event; `report` then says what it holds.

    `grace` is the seconds that the end of a reader's right may take to be noticed.
    """

    def __init__(self, grace: float):
        self.grace = grace
        self.readings: dict[int, Reading] = {}
        self.published: dict[str, dict[int, float]] = defaultdict(dict)
        # Where events are, as any reader saw them.
        self.places: dict[str, dict[int, Place]] = defaultdict(dict)
        self.seen = Counter()
        self.findings: list[Finding] = []

    def take(self, event: dict) -> None:
        if method := getattr(self, f"take_{event['did']}", None):
            method(event)

    def take_sat(self, event):
        self.readings[event["reader"]] = Reading(event["stream"])

    def take_published(self, event):
        self.published[event["stream"]][event["number"]] = event["at"]

    def take_failed(self, event):
        self.seen["failed"] += 1
        self.take_published(event)

    def take_revoked(self, event):
        self.readings[event["reader"]].revoked_at = event["at"]

    def take_established(self, event):
        reading = self.readings[event["reader"]]
        self.seen["returns"] += bool(reading.excuses)
        self.seen["unrecovered"] += event["recovered"] is False
        reading.greet(event)

    def take_frame(self, event):
        reading, number, stream = self.readings[event["reader"]], event["number"], event["stream"]
        published_at = self.published[stream].get(number)
        if stream != reading.stream or published_at is None:
            return self.find("foreign", event)
        if reading.revoked_at and published_at > reading.revoked_at + self.grace:
            self.find("late", event)
        wrong = reading.read(number, event["offset"])
        if wrong == "repeated":
            self.seen["repeated"] += 1
        elif wrong:
            self.find(wrong, event)
        if event["offset"] is not None:
            self.places[stream][number] = reading.places[number]

    def find(self, kind, event):
        self.findings.append(Finding(kind, event["reader"], event["number"]))

    def report(self) -> Report:
        """Return what was found, with what is missing now that all is read."""
        report = Report(
            published=sum(map(len, self.published.values())),
            findings=[*self.findings],
            **self.seen,
        )
        for reader, reading in self.readings.items():
            lost = self.lost_by(reading)
            report.delivered += len(reading.places)
            report.expected += len(reading.places) + len(lost)
            report.findings += [Finding("lost", reader, number) for number in lost]
        return report

    def lost_by(self, reading: Reading) -> list[int]:
        places = self.places[reading.stream]
        return [
            number
            for number, at in self.published[reading.stream].items()
            if number not in reading.places and not reading.is_excused(places.get(number), at)
        ]


def check(history: Iterable[dict], grace: float = 0) -> Report:
    """Return what a history holds."""
    checker = Checker(grace)
    for event in history:
        checker.take(event)
    return checker.report()
