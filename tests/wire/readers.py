"""The readers of a run, all in a process of their own: they read, come back, and resume.

    python -m tests.wire.readers task.json history.jsonl

They say `seated` when each was greeted once, and `stalled` when one stops reading. Told on stdin
how many events each stream has had, and how many seconds of silence are enough, all read again, and
say `complete` when each has all, else `incomplete`.
"""

import asyncio
import json
import random
import re
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from api.close_codes import CloseCode
from tests.wire.audience import Seat
from tests.wire.light_client import LightClient, handshake

# Seconds to stay away before coming back, as at random from this range.
BACK_OFF = 0.05, 0.5

# Seconds that a server may take to greet; then the reader tries again.
HANDSHAKE = 8

NUMBERED = re.compile(rb'"stream": "([^"]+)", "number": (\d+)\}(?:, "offset": (\d+)\})?')
GREETING = b'{"type": "connection.established"'


@dataclass
class Task:
    """Who reads where."""

    audience: list[Seat]
    tokens: list[str]
    # Where servers listen, or proxies before them; readers spread over them.
    ports: list[int]
    # Whether readers name their position when they come back.
    resumes: bool = True
    # A reader that stops reading after so many events, until all are told the end.
    stalls: int | None = None
    stalls_after: int = 0

    def write(self, path: Path) -> None:
        path.write_text(json.dumps(asdict(self)))

    @classmethod
    def read(cls, path: Path) -> "Task":
        task = cls(**json.loads(path.read_text()))
        task.audience = [Seat(*seat) for seat in task.audience]
        return task


class Reader:
    """One user who wants to miss nothing."""

    def __init__(self, seat: Seat, token: str, ports: list[int], *, resumes: bool, history):
        self.seat, self.token, self.history = seat, token, history
        self.ports, self.resumes = ports, resumes
        self.chance = random.Random(seat.reader)
        self.visits = seat.reader
        self.epoch, self.offset = None, None
        # What was new to this reader: with offsets, what lies beyond the last; else each frame.
        self.new, self.last_at = 0, 0.0
        self.greeted = asyncio.Event()
        self.client: LightClient | None = None
        self.stays_away = False
        # After so many events it stops reading.
        self.stalls_after: int | None = None

    def note(self, did: str, **what) -> None:
        line = {"did": did, "reader": self.seat.reader, "at": time.time(), **what}
        self.history.write(json.dumps(line) + "\n")

    async def live(self) -> None:
        """Read, and come back for as long as that can help."""
        while not self.stays_away:
            code = await self.visit()
            self.note("closed", code=code)
            self.stays_away = not comes_back(code)
            await asyncio.sleep(self.chance.uniform(*BACK_OFF))

    async def visit(self) -> int | None:
        """Connect once, to each server in turn; return the close code, None where nobody was."""
        port = self.ports[self.visits % len(self.ports)]
        self.visits += 1
        self.note("connecting", port=port)
        self.greeted.clear()
        loop = asyncio.get_running_loop()
        request = handshake(self.path(), self.token)
        try:
            transport, self.client = await loop.create_connection(
                lambda: LightClient(request, self.take), "127.0.0.1", port
            )
        except OSError:
            return None
        try:
            async with asyncio.timeout(HANDSHAKE) as patience:
                greeted = asyncio.create_task(self.greeted.wait())
                await asyncio.wait(
                    [greeted, self.client.closed], return_when=asyncio.FIRST_COMPLETED
                )
                greeted.cancel()
                patience.reschedule(None)
                return await self.client.closed
        except TimeoutError:
            return None
        finally:
            transport.abort()

    def path(self) -> str:
        if not self.resumes or self.epoch is None:
            return self.seat.path
        return f"{self.seat.path}?epoch={self.epoch}&offset={self.offset}"

    def take(self, text: bytes) -> None:
        if found := NUMBERED.search(text):
            self.take_event(*found.groups())
        elif text.startswith(GREETING):
            self.take_greeting(json.loads(text))

    def take_event(self, stream: bytes, number: bytes, offset: bytes | None) -> None:
        self.last_at = time.time()
        # By hand: json.dumps of 20,000 lines a second would be felt.
        self.history.write(
            f'{{"did": "frame", "reader": {self.seat.reader}, "at": {self.last_at},'
            f' "stream": "{stream.decode()}", "number": {int(number)},'
            f' "offset": {int(offset) if offset else "null"}}}\n'
        )
        if offset is None:
            self.new += 1
        elif int(offset) > self.offset:
            self.new += int(offset) - self.offset
            self.offset = int(offset)
        if self.new == self.stalls_after:
            self.stall()

    def take_greeting(self, greeting: dict) -> None:
        place = {key: greeting.get(key) for key in ("epoch", "offset", "recovered")}
        self.note("established", **place)
        if not place["recovered"]:
            if self.epoch == place["epoch"] is not None:
                # What is gone counts as seen: nobody waits for it.
                self.new += max(0, place["offset"] - self.offset)
            self.epoch, self.offset = place["epoch"], place["offset"]
        self.greeted.set()

    def stall(self) -> None:
        self.stalls_after = None
        self.client.transport.pause_reading()
        say("stalled")

    def has_all(self, events: dict[str, int]) -> bool:
        return self.stays_away or self.new >= events.get(self.seat.stream, 0)


def say(word: str) -> None:
    print(word, flush=True)


def comes_back(code: int | None) -> bool:
    """Whether a client may come back after this close code; None: the server was not there."""
    if code is None:
        return True
    try:
        return CloseCode(code).reconnect
    except ValueError:
        return code < 4500


async def run(task: Task, history) -> None:
    readers = [
        Reader(seat, token, task.ports, resumes=task.resumes, history=history)
        for seat, token in zip(task.audience, task.tokens, strict=True)
    ]
    if task.stalls is not None:
        readers[task.stalls].stalls_after = task.stalls_after
    lives = [asyncio.create_task(reader.live()) for reader in readers]
    for reader in readers:
        await reader.greeted.wait()
    say("seated")
    if line := await asyncio.to_thread(sys.stdin.readline):
        ending = json.loads(line)
        if task.stalls is not None:
            readers[task.stalls].client.transport.resume_reading()
        complete = await wait_for_all(readers, ending["events"], ending["silence"])
        say("complete" if complete else "incomplete")
    for life in lives:
        life.cancel()
    await asyncio.gather(*lives, return_exceptions=True)


async def wait_for_all(readers: list[Reader], events: dict[str, int], silence: float) -> bool:
    """Wait until each reader has all; give up when nobody has read anything for a while."""
    told_at = time.time()
    while not all(reader.has_all(events) for reader in readers):
        if time.time() - max(told_at, *(reader.last_at for reader in readers)) > silence:
            return False
        await asyncio.sleep(0.02)
    return True


def main(task_path: str, history_path: str) -> None:
    with open(history_path, "w") as history:
        asyncio.run(run(Task.read(Path(task_path)), history))


if __name__ == "__main__":
    main(*sys.argv[1:])
