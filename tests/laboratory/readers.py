"""The readers of a run, all in a process of their own: they read, come back, and resume.

    python -m tests.laboratory.readers task.json history.jsonl

They say `seated` when each was greeted once, and `stalled` when one stops reading. Told on stdin
where each stream ends, and how many seconds of silence are enough, all read again, and say
`complete` when each has all, else `incomplete`. A stream ends at a position; where the application
has none, after a number of events.
"""

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.laboratory.audience import Seat
from tests.laboratory.reader import Reader, say

# Readers that connect at the same time.
AT_ONCE = 50


@dataclass
class Task:
    """Who reads where."""

    audience: list[Seat]
    tokens: list[str]
    # Where servers listen, or proxies before them; readers spread over them.
    ports: list[int]
    # Whether readers name their position when they come back.
    resumes: bool = True
    # A reader that stops reading after so many events, until the others have all.
    stalls: int | None = None
    stalls_after: int = 0

    def write(self, path: Path) -> None:
        path.write_text(json.dumps(asdict(self)))

    @classmethod
    def read(cls, path: Path) -> "Task":
        task = cls(**json.loads(path.read_text()))
        task.audience = [Seat(*seat) for seat in task.audience]
        return task


async def run(task: Task, history) -> None:
    readers = [
        Reader(seat, token, task.ports, resumes=task.resumes, history=history)
        for seat, token in zip(task.audience, task.tokens, strict=True)
    ]
    if task.stalls is not None:
        readers[task.stalls].stalls_after = task.stalls_after
    lives = [life async for life in seated(readers)]
    say("seated")
    if line := await asyncio.to_thread(sys.stdin.readline):
        ending = json.loads(line)
        if task.stalls is not None:
            stalled = readers[task.stalls]
            others = [reader for reader in readers if reader is not stalled]
            await wait_for_all(others, ending["ends"], ending["silence"])
            stalled.client.transport.resume_reading()
        complete = await wait_for_all(readers, ending["ends"], ending["silence"])
        say("complete" if complete else "incomplete")
    for life in lives:
        life.cancel()
    await asyncio.gather(*lives, return_exceptions=True)


async def seated(readers: list[Reader]) -> AsyncIterator[asyncio.Task]:
    """Let the readers in, some at a time: how a server takes a storm is not the question here."""
    for start in range(0, len(readers), AT_ONCE):
        some = readers[start : start + AT_ONCE]
        for reader in some:
            yield asyncio.create_task(reader.live())
        for reader in some:
            await reader.greeted.wait()


async def wait_for_all(readers: list[Reader], ends: dict[str, int | str], silence: float) -> bool:
    """Wait until each reader has all; give up when nobody has read anything for a while."""
    told_at = time.time()
    while not all(reader.has_all(ends) for reader in readers):
        if time.time() - max(told_at, *(reader.last_at for reader in readers)) > silence:
            return False
        await asyncio.sleep(0.02)
    return True


def main(task_path: str, history_path: str) -> None:
    with open(history_path, "w") as history:
        asyncio.run(run(Task.read(Path(task_path)), history))


if __name__ == "__main__":
    main(*sys.argv[1:])
