"""Reads the history of a run, and says what became of each event for each reader.

A history is a sequence of dicts: who sat where, what was published, what was done to the database,
then what each reader saw.

    {"did": "sat", "reader": 0, "stream": "hall"}
    {"did": "published", "stream": "hall", "number": 1, "at": 12.5}
    {"did": "failed", "stream": "hall", "number": 2, "at": 12.5}    the sender raised
    {"did": "published", "stream": "hall", "number": 3, "at": 12.5, "returned": 12.6,
     "transaction": 3}
    {"did": "revoked", "reader": 0, "at": 13.0}
    {"did": "planted", "stream": "hall", "position": "3.Xa"}        a row that cannot be sent
    {"did": "forgot", "stream": "hall", "number": 7, "position": "9.Qe"}   the database went back
    {"did": "established", "reader": 0, "at": 12.0, "offset": 0, "position": "0.Kf",
     "recovered": null}
    {"did": "frame", "reader": 0, "at": 12.6, "stream": "hall", "number": 1, "offset": 1,
     "position": "1.Pc"}
    {"did": "omitted", "reader": 0, "at": 12.7, "offset": 3, "position": "3.Xa", "size": 2000000}

Numbers are the publisher's own count of each stream: what the app says of itself is not believed.
What failed to be sent is owed, too: it has happened, and its readers know nothing of it. `at` of an
event is a time before anybody can have read it. Where it is known when a send had returned or its
transaction had committed, whatever was sent after that comes later. Readers of an app without
offsets have None for offset, position and recovered.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from tests.laboratory.findings import Finding, Report


class Place(NamedTuple):
    """Where an event is in its stream."""

    offset: int
    position: str | None


class Reading:
    """What one reader was told, in order."""

    def __init__(self, stream: str):
        self.stream = stream
        self.places: dict[int, Place] = {}
        self.last: Place | None = None
        # Positions by offset since the reader was last told that history is gone. Until then every
        # offset comes, and has one entry.
        self.chain: dict[int, str | None] = {}
        # Offsets that never came in chains that have ended.
        self.skipped: list[int] = []
        # Positions of rows that were omitted.
        self.omitted: set[str] = set()
        # Up to these offsets, and before these times, nothing is owed.
        self.excuses: list[tuple[int, float]] = []
        self.revoked_at: float | None = None
        self.greetings = 0

    @property
    def has_left(self) -> bool:
        return self.greetings > 1

    def greet(self, event: dict) -> None:
        """Take a greeting: the first says where reading begins, another may say what is gone."""
        self.greetings += 1
        if self.excuses and event["recovered"] is not False:
            return
        self.excuses.append((event["offset"] or 0, event["at"]))
        self.skipped += self.gaps()
        self.chain, self.last = {}, None
        if event["offset"] is not None:
            self.chain[event["offset"]] = event["position"]

    def read(self, number: int, place: Place) -> str | None:
        """Take a frame, and return what is wrong with it: a kind, "repeated" or None."""
        if self.places.setdefault(number, place) is place:
            return self.go_to(place)
        if place.position is not None and self.places[number] == place:
            return "repeated"
        self.go_to(place)
        return "doubled"

    def go_to(self, place: Place) -> str | None:
        """Take the place of a frame or an omitted one, and return what is wrong with it."""
        offset, position = place
        if position is not None and self.chain.setdefault(offset, position) != position:
            return "exchanged"
        if self.last and offset < self.last.offset:
            return "reordered"
        self.last = place
        return None

    def gaps(self) -> Iterator[int]:
        """Yield the offsets that did not come, between the first and the last that did."""
        if self.chain:
            yield from sorted({*range(min(self.chain), max(self.chain))} - self.chain.keys())

    def is_excused(self, place: Place | None, published_at: float) -> bool:
        """Whether an event that was not read was not owed either."""
        for upto, told_at in self.excuses:
            if published_at <= told_at and (place is None or place.offset <= upto):
                return True
        if self.revoked_at is None:
            return False
        # A revoked reader may not have come back for what was still on its way.
        is_beyond = place is None or self.last is None or place.offset > self.last.offset
        return is_beyond or published_at >= self.revoked_at


class Checker:
    """Takes a history, event by event; `report` then says what it holds.

    `grace` is the seconds that the end of a reader's right may take to be noticed.
    """

    def __init__(self, grace: float):
        self.grace = grace
        self.readings: dict[int, Reading] = {}
        self.published: dict[str, dict[int, float]] = defaultdict(dict)
        # When the sends of events had returned, and the transactions that they were in.
        self.returned: dict[str, dict[int, float]] = defaultdict(dict)
        self.transactions: dict[str, dict[int, int]] = defaultdict(dict)
        # Where events are, as any reader saw them.
        self.places: dict[str, dict[int, Place]] = defaultdict(dict)
        # What each position names, and the position before it, as any reader saw them.
        self.named: dict[tuple[str, str], int | None] = {}
        self.before: dict[tuple[str, str], str] = {}
        self.planted: dict[str, dict[str, float]] = defaultdict(dict)
        # Numbers and positions that the database has forgotten.
        self.forgotten: dict[str, set[int | str]] = defaultdict(set)
        self.seen = Counter()
        self.slowest = 0.0
        self.findings: list[Finding] = []

    def take(self, event: dict) -> None:
        if method := getattr(self, f"take_{event['did']}", None):
            method(event)

    def take_sat(self, event):
        self.readings[event["reader"]] = Reading(event["stream"])

    def take_published(self, event):
        stream, number = event["stream"], event["number"]
        self.published[stream][number] = event["at"]
        if "returned" in event:
            self.returned[stream][number] = event["returned"]
        if "transaction" in event:
            self.transactions[stream][number] = event["transaction"]

    def take_failed(self, event):
        self.seen["failed"] += 1
        self.take_published(event)

    def take_revoked(self, event):
        self.readings[event["reader"]].revoked_at = event["at"]

    def take_planted(self, event):
        self.planted[event["stream"]][event["position"]] = event["at"]

    def take_forgot(self, event):
        known = {event["number"], event["position"]} - {None}
        self.forgotten[event["stream"]] |= known

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
        if event["at"] < published_at:
            self.find("early", event)
        if not reading.has_left:
            self.slowest = max(self.slowest, event["at"] - published_at)
        if reading.revoked_at and published_at > reading.revoked_at + self.grace:
            self.find("late", event)
        if event["offset"] is None:
            place = Place(number, None)
        else:
            place = Place(event["offset"], event["position"])
            self.name(event, reading, place, number)
        earlier = reading.places.get(number)
        wrong = reading.read(number, place)
        if wrong == "doubled" and earlier.position in self.forgotten[stream]:
            # The database went back to where this was pending, and the reader was told.
            reading.places[number] = place
            wrong = None
        if wrong == "repeated":
            self.seen["repeated"] += 1
        elif wrong:
            self.find(wrong, event)
        if place.position is not None:
            self.places[stream][number] = reading.places[number]

    def take_omitted(self, event):
        reading = self.readings[event["reader"]]
        place = Place(event["offset"], event["position"])
        what = event | {"number": place.offset}
        if place.position not in self.planted[reading.stream]:
            self.find("omitted", what)
        self.name(what, reading, place, None)
        if place.position in reading.omitted:
            self.seen["repeated"] += 1
        elif wrong := reading.go_to(place):
            self.find(wrong, what)
        reading.omitted.add(place.position)

    def name(self, event: dict, reading: Reading, place: Place, number: int | None) -> None:
        """Hold a position against what others read under it, and before it."""
        key = (reading.stream, place.position)
        if self.named.setdefault(key, number) != number:
            self.find("ambiguous", event)
        before = reading.chain.get(place.offset - 1)
        if before is not None and self.before.setdefault(key, before) != before:
            self.find("exchanged", event)

    def find(self, kind, event):
        self.findings.append(Finding(kind, event["reader"], event["number"]))

    def report(self) -> Report:
        """Return what was found, with what is missing now that all is read."""
        report = Report(
            published=sum(map(len, self.published.values())),
            findings=[*self.findings],
            slowest=self.slowest,
            **self.seen,
        )
        for stream in self.places:
            report.findings += [Finding("overtaken", None, n) for n in self.overtaken_in(stream)]
        for reader, reading in self.readings.items():
            lost, planted = self.lost_by(reading), self.planted_unseen_by(reading)
            report.delivered += len(reading.places)
            report.expected += len(reading.places) + len(lost)
            report.findings += [Finding("lost", reader, number) for number in lost]
            skipped = {*reading.skipped, *reading.gaps(), *planted}
            report.findings += [Finding("skipped", reader, offset) for offset in sorted(skipped)]
        return report

    def lost_by(self, reading: Reading) -> list[int]:
        places, forgotten = self.places[reading.stream], self.forgotten[reading.stream]
        return [
            number
            for number, at in self.published[reading.stream].items()
            if number not in reading.places
            and number not in forgotten
            and not reading.is_excused(places.get(number), at)
        ]

    def overtaken_in(self, stream: str) -> Iterator[int]:
        """Yield the numbers of events that are behind one which was sent after them."""
        places = self.places[stream]
        known = [n for n in places if places[n].position not in self.forgotten[stream]]
        begun, numbers = 0.0, defaultdict(int)
        for number in sorted(known, key=lambda number: places[number].offset):
            transaction = self.transactions[stream].get(number)
            if self.returned[stream].get(number, math.inf) < begun or (
                transaction is not None and number < numbers[transaction]
            ):
                yield number
            begun = max(begun, self.published[stream][number])
            numbers[transaction] = number

    def planted_unseen_by(self, reading: Reading) -> list[int]:
        """Return the offsets of planted rows that a reader was not told of."""
        places = {
            position: (Place(int(position.partition(".")[0]), position), at)
            for position, at in self.planted[reading.stream].items()
            if position not in reading.omitted | self.forgotten[reading.stream]
        }
        return [place.offset for place, at in places.values() if not reading.is_excused(place, at)]


def check(history: Iterable[dict], grace: float = 0) -> Report:
    """Return what a history holds."""
    checker = Checker(grace)
    for event in history:
        checker.take(event)
    return checker.report()
