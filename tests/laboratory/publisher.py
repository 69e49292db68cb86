"""The application's side of a run, in a process of its own: makes users, sends numbered events.

    python -m tests.laboratory.publisher plan.json history.jsonl tokens.json

It says `ready` when the users are there and their tokens written, and begins at a line on stdin. Of
each event that it has sent it writes a line; of a send that raised too.
"""

import asyncio
import itertools
import json
import sys
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from importlib import import_module
from pathlib import Path

from asgiref.sync import async_to_sync, sync_to_async

from tests.laboratory.audience import ORGANIZATIONS, Seat, revoke, settle, token
from tests.laboratory.without_server import set_up


@dataclass
class Plan:
    """What is sent, and how."""

    audience: list[Seat]
    # The streams in turn, over and over.
    streams: list[str]
    events: int
    # Seconds from one event to the next; each is a task of its own, so a slow one delays no other.
    every: float | None = None
    # Without `every`: threads that send as fast as they can, or one after the other in one loop.
    threads: int = 0
    # Bytes that an event carries along.
    padding: int = 0
    # Readers who lose their membership, each after so many events.
    revoked: dict[int, int] = field(default_factory=dict)
    # The module with the two functions that send.
    through: str = "api.consumers"

    def write(self, path: Path) -> None:
        path.write_text(json.dumps(asdict(self)))

    @classmethod
    def read(cls, path: Path) -> "Plan":
        plan = cls(**json.loads(path.read_text()))
        plan.audience = [Seat(*seat) for seat in plan.audience]
        plan.revoked = {int(events): reader for events, reader in plan.revoked.items()}
        return plan


class Publisher:
    """Sends what a plan says, and writes down what was sent."""

    def __init__(self, plan: Plan, history):
        self.plan, self.history = plan, history
        self.senders = import_module(plan.through)
        self.numbers, self.lock = Counter(), threading.Lock()

    def note(self, did: str, **what) -> None:
        with self.lock:
            self.history.write(json.dumps({"did": did, **what}) + "\n")

    async def send(self, stream: str) -> None:
        """Send the next event of a stream."""
        with self.lock:
            self.numbers[stream] += 1
            number = self.numbers[stream]
        data = {"padding": "x" * self.plan.padding, "stream": stream, "number": number}
        at = time.time()
        try:
            if org_id := ORGANIZATIONS.get(stream):
                await self.senders.broadcast_org_event(str(org_id), "numbered", data)
            else:
                await self.senders.broadcast_notification(stream, data)
        except Exception as error:
            self.note("failed", stream=stream, number=number, at=at, error=repr(error))
        else:
            returned = time.time()
            self.note("published", stream=stream, number=number, at=at, returned=returned)

    def streams(self) -> list[str]:
        return [*itertools.islice(itertools.cycle(self.plan.streams), self.plan.events)]

    async def send_at_intervals(self) -> None:
        begin = time.monotonic()
        async with asyncio.TaskGroup() as tasks:
            for count, stream in enumerate(self.streams()):
                await asyncio.sleep(begin + count * self.plan.every - time.monotonic())
                tasks.create_task(self.send(stream))
                if (reader := self.plan.revoked.get(count)) is not None:
                    tasks.create_task(self.revoke(reader))

    async def send_in_a_row(self) -> None:
        for stream in self.streams():
            await self.send(stream)

    def send_from_threads(self) -> None:
        with ThreadPoolExecutor(self.plan.threads) as pool:
            [*pool.map(async_to_sync(self.send), self.streams())]

    async def revoke(self, reader: int) -> None:
        await sync_to_async(revoke)(self.plan.audience[reader])
        self.note("revoked", reader=reader, at=time.time())

    def run(self) -> None:
        if self.plan.threads:
            self.send_from_threads()
        else:
            asyncio.run(self.send_at_intervals() if self.plan.every else self.send_in_a_row())


def main(plan_path: str, history_path: str, tokens_path: str) -> None:
    set_up()
    plan = Plan.read(Path(plan_path))
    settle(plan.audience)
    Path(tokens_path).write_text(json.dumps([token(seat) for seat in plan.audience]))
    with open(history_path, "w") as history:
        publisher = Publisher(plan, history)
        print("ready", flush=True)
        if sys.stdin.readline():
            publisher.run()


if __name__ == "__main__":
    main(*sys.argv[1:])
