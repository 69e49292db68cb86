"""A sender to which something happens: a process of its own, that sends numbered events.

    python -m tests.laboratory.faulty_sender die history.jsonl 1000 hall side
    python -m tests.laboratory.faulty_sender hold history.jsonl 1000 hall side
    python -m tests.laboratory.faulty_sender cross history.jsonl 1000 reader-1 reader-2
    python -m tests.laboratory.faulty_sender misdate history.jsonl 1000 hall
    python -m tests.laboratory.faulty_sender tell history.jsonl 1000 hall

The first dies by SIGKILL when its transaction has committed, and before its events have offsets.
The second says `held` when it has sent, and commits at a line on stdin. The third says `ready`,
waits for a line, and sends in many short transactions, to the streams in their order. The fourth
sends while its clock is hours and days off. The last one just sends. Numbers of events begin at the
one that is given.
"""

import json
import math
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

from asgiref.sync import async_to_sync

from tests.laboratory.audience import ORGANIZATIONS
from tests.laboratory.without_server import set_up

# Broadcasts of a transaction that dies or is held: they go to the streams in turn.
BROADCASTS = 10

# Transactions of a sender that crosses another one, with a broadcast to each of two streams.
CROSSINGS = 50

# Seconds from one broadcast of such a transaction to the next: an application works in between.
WORK = 0.01

# Hours that a clock is wrong by, one after the other.
HOURS = (6, -6, 24 * 30, -24 * 30)


class Sender:
    """Sends the next numbers to streams, and writes down what was sent."""

    def __init__(self, history, first: int, streams: list[str]):
        self.history, self.number, self.streams = history, first, streams
        # The time by a right clock.
        self.clock: Callable[[], float] = time.time

    def send(self, stream: str) -> dict:
        """Send one event, and return its line for the history."""
        from api.consumers import broadcast_notification, broadcast_org_event

        number, self.number = self.number, self.number + 1
        data, at = {"stream": stream, "number": number}, self.clock()
        if org_id := ORGANIZATIONS.get(stream):
            async_to_sync(broadcast_org_event)(str(org_id), "numbered", data)
        else:
            async_to_sync(broadcast_notification)(stream, data)
        return {"did": "published", **data, "at": at, "returned": self.clock()}

    def send_in_turn(self, broadcasts: int = BROADCASTS) -> list[dict]:
        return [self.send(self.streams[n % len(self.streams)]) for n in range(broadcasts)]

    def note(self, lines: list[dict]) -> None:
        """Write lines to the history now, because this process may die."""
        self.history.writelines(json.dumps(line) + "\n" for line in lines)
        self.history.flush()

    @contextmanager
    def transaction(self) -> Iterator[list[dict]]:
        """Note the events that are sent in a transaction, and when it has committed."""
        from django.db import transaction

        lines = []
        with transaction.atomic():
            yield lines
            # From now on, and not before, they may be read.
            at, first = self.clock(), lines[0]["number"]
            unfinished = {"at": at, "transaction": first, "returned": math.inf}
            lines[:] = [line | unfinished for line in lines]
            self.note(lines)
            transaction.on_commit(lambda: self.note_returned(lines))

    def note_returned(self, lines: list[dict]) -> None:
        returned = self.clock()
        self.note([line | {"returned": returned} for line in lines])

    def die(self) -> None:
        from realtime.delivery import outbox

        def flush(streams):
            self.note_returned(lines)
            os.kill(os.getpid(), signal.SIGKILL)

        outbox.flush = flush
        with self.transaction() as lines:
            lines += self.send_in_turn()

    def hold(self) -> None:
        with self.transaction() as lines:
            lines += self.send_in_turn()
            say("held")
            sys.stdin.readline()

    def cross(self) -> None:
        say("ready")
        sys.stdin.readline()
        for _ in range(CROSSINGS):
            with self.transaction() as lines:
                for stream in self.streams:
                    lines.append(self.send(stream))
                    time.sleep(WORK)

    def tell(self) -> None:
        """Send events one by one."""
        self.note(self.send_in_turn())

    def misdate(self) -> None:
        for hours in HOURS:
            with wrong_clock(hours):
                self.note(self.send_in_turn())
                with self.transaction() as lines:
                    lines += self.send_in_turn()


@contextmanager
def wrong_clock(hours: float) -> Iterator[None]:
    """Have Python's clock, and Django's, be wrong by so many hours."""
    from django.utils import timezone

    by = timedelta(hours=hours)
    right = time.time, time.time_ns, timezone.now
    time.time = lambda: right[0]() + by.total_seconds()
    time.time_ns = lambda: right[1]() + int(by.total_seconds()) * 10**9
    timezone.now = lambda: right[2]() + by
    try:
        yield
    finally:
        time.time, time.time_ns, timezone.now = right


def say(word: str) -> None:
    print(word, flush=True)


def main(mode: str, history_path: str, first: str, *streams: str) -> None:
    set_up()
    with open(history_path, "w") as history:
        getattr(Sender(history, int(first), [*streams]), mode)()


if __name__ == "__main__":
    main(*sys.argv[1:])
