"""The fault laboratory: publishers and readers in processes of their own, and faults between them.

A run starts Redis, servers, a publisher and readers; lets faults happen while events go out; waits
until every reader has what it should have, or nothing comes any more; and has the checker read the
history. `tests/laboratory/long_run.py` does so for minutes.
"""

import asyncio
import json
import resource
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import NamedTuple

from tests.laboratory.audience import Seat
from tests.laboratory.checker import check
from tests.laboratory.child import Child
from tests.laboratory.faults import Faults
from tests.laboratory.findings import Report
from tests.laboratory.hand import Hand
from tests.laboratory.proxy import Proxy
from tests.laboratory.publisher import Plan
from tests.laboratory.readers import Task
from tests.laboratory.schedules import CALM, Schedule
from tests.laboratory.stacks import Stack
from tests.wire.parts import AppServer, RedisProcess

# Files that a process may hold open: a thousand sockets, and some.
FILES = 4096

# Seconds between two checks in the servers: short, so that a run need not be long.
INTERVALS = {"REALTIME_TAIL_CHECK_SECONDS": "1", "REALTIME_RECHECK_SECONDS": "2"}

# Numbers that each further sender has for its events.
NUMBERS = 1_000_000

# Seconds in which the end of a reader's right is noticed, should the word of it get lost.
NOTICE = 3


class Result(NamedTuple):
    """How a run went."""

    stack: Stack
    schedule: Schedule
    report: Report
    # Seconds from the last event to the moment at which every reader had all; None: never.
    caught_up_after: float | None

    @property
    def is_good(self) -> bool:
        return self.report.is_good and self.caught_up_after is not None

    @property
    def end(self) -> str:
        after = self.caught_up_after
        return "never complete" if after is None else f"complete after {after:.1f} s"

    def __str__(self):
        return f"{self.stack}, {self.schedule}: {self.end}; {self.report}"


class Laboratory:
    """One run: `assemble` everybody, `perform` the schedule, and `conclude`.

    `environment` is what the processes get, with a database that has its tables.
    """

    def __init__(self, environment: dict[str, str], stack: Stack, schedule: Schedule = CALM):
        self.stack, self.schedule = stack, schedule
        self.environment = {
            **INTERVALS,
            **environment,
            "DJANGO_SETTINGS_MODULE": stack.settings,
            "CHANNEL_LAYER": stack.layer,
        }
        self.hand = Hand()
        self.senders, self.logs = 0, []
        self.make_parts()

    def make_parts(self) -> None:
        """Make what faults can hit, and the faults."""
        stack, schedule = self.stack, self.schedule
        self.redis = RedisProcess()
        self.link = Proxy(self.redis.port)
        redis = self.link if schedule.hits("link") else self.redis
        self.environment |= {"REDIS_HOST": "127.0.0.1", "REDIS_PORT": str(redis.port)}
        self.servers = [
            AppServer(stack.server, stack.application, **self.environment)
            for _ in range(stack.servers)
        ]
        self.proxies = [Proxy(server.port) for server in self.servers if schedule.hits("network")]
        self.faults = Faults(
            self.redis, self.servers, self.proxies, self.link, self.hand, self.start_sender
        )

    async def __aenter__(self) -> "Laboratory":
        allow_files()
        self.held = AsyncExitStack()
        folder = tempfile.TemporaryDirectory(prefix="laboratory-")
        self.folder = Path(self.held.enter_context(folder))
        await self.start_parts()
        for server in self.servers:
            self.held.callback(server.kill)
        return self

    async def start_parts(self) -> None:
        """Start what is there before the servers."""
        self.held.callback(self.redis.kill)
        for proxy in (self.link, *self.proxies):
            await self.held.enter_async_context(proxy)
        self.redis.start()

    @property
    def ports(self) -> list[int]:
        """Where readers connect."""
        return [part.port for part in self.proxies or self.servers]

    async def __aexit__(self, *exception) -> None:
        await self.held.aclose()

    async def assemble(self, plan: Plan, **stalls: int) -> None:
        """Start servers, publisher and readers, and return when every reader was greeted.

        `stalls` are what the readers' task says of one that stops reading.
        """
        self.audience, files = plan.audience, self.folder
        self.streams = [*dict.fromkeys(seat.stream for seat in plan.audience)]
        plan.through = self.stack.senders
        plan.write(files / "plan.json")
        names = ("plan.json", "published.jsonl", "tokens.json")
        self.publisher = Child("tests.laboratory.publisher", *(files / name for name in names))
        await asyncio.gather(
            self.start(self.publisher),
            *(asyncio.to_thread(server.start) for server in self.servers),
        )
        assert await self.publisher.word() == "ready"
        if self.stack.resumes:
            await self.start(self.hand.keeper(self.folder / "published-by-hand.jsonl"))
            assert await self.hand.child.word() == "ready"
        task = Task(
            plan.audience,
            json.loads((files / "tokens.json").read_text()),
            self.ports,
            resumes=self.stack.resumes,
            **stalls,
        )
        task.write(files / "task.json")
        self.readers = Child("tests.laboratory.readers", files / "task.json", files / "read.jsonl")
        await self.start(self.readers)
        assert await self.readers.word() == "seated"

    async def start_sender(self, mode: str, *, backwards: bool = False, **environment) -> Child:
        """Start a sender of its own, with numbers of its own."""
        self.senders += 1
        history = self.folder / f"published-{self.senders}.jsonl"
        # Two streams, as of two users whom two transactions notify.
        streams = self.streams[:2] if mode == "cross" else self.streams
        first = self.senders * NUMBERS
        arguments = (mode, history, first, *(streams[::-1] if backwards else streams))
        sender = Child("tests.laboratory.faulty_sender", *arguments)
        await self.start(sender, **environment)
        return sender

    async def start(self, child: Child, **environment: str) -> None:
        log = self.folder / f"{len(self.logs)}-{child.module}.log"
        self.logs.append(log)
        await child.start(self.environment | environment, log)
        self.held.push_async_callback(child.kill)

    async def perform(self) -> None:
        """Send the events while the faults happen; return when both have ended."""
        self.publisher.tell("go")
        failed, _ = await asyncio.gather(
            self.publisher.end(after=self.schedule.seconds), self.faults.happen(self.schedule)
        )
        assert not failed, self.publisher.log.read_text()
        self.ended_at = time.monotonic()

    async def conclude(self) -> Result:
        """Wait until the readers have all, or nothing comes any more; read the history."""
        ends = await self.ends()
        self.readers.tell(json.dumps({"ends": ends, "silence": self.stack.silence}))
        is_complete = await self.readers.word() == "complete"
        after = time.monotonic() - self.ended_at
        await self.readers.end()
        # Readers complain of nothing, unless they are at fault.
        assert not (complaint := self.readers.log.read_text()), complaint
        grace = NOTICE + self.schedule.longest("freeze_server")
        report = await asyncio.to_thread(check, self.history(), grace)
        return Result(self.stack, self.schedule, report, after if is_complete else None)

    async def ends(self) -> dict[str, int | str]:
        """Return where streams end: at a position, or without one after a number of events."""
        if self.stack.resumes:
            return await self.hand.ends(self.streams, self.stack.silence)
        published = lines(self.folder / "published.jsonl")
        return Counter(event["stream"] for event in published if "number" in event)

    def history(self) -> Iterator[dict]:
        for seat in self.audience:
            yield {"did": "sat", **seat._asdict()}
        for path in sorted(self.folder.glob("published*.jsonl")):
            yield from lines(path)
        yield from lines(self.folder / "read.jsonl")


def lines(path: Path) -> Iterator[dict]:
    with path.open() as file:
        yield from map(json.loads, file)


def steady(audience: list[Seat], schedule: Schedule, every: float = 0.01) -> Plan:
    """Return events at intervals for as long as a schedule lasts, nine of ten of them to the hall.

    The first reader beside the hall is revoked when a quarter of them was sent.
    """
    others = [seat for seat in audience if seat.stream != "hall"]
    turns = [stream for seat in others for stream in (*["hall"] * 9, seat.stream)]
    events = int(schedule.seconds / every)
    revoked = {events // 4: others[0].reader} if others else {}
    return Plan(audience, turns or ["hall"], events, every, revoked=revoked)


async def run(environment: dict[str, str], stack: Stack, schedule: Schedule, plan: Plan) -> Result:
    """Put a stack through a schedule."""
    async with Laboratory(environment, stack, schedule) as laboratory:
        await laboratory.assemble(plan)
        await laboratory.perform()
        return await laboratory.conclude()


def allow_files() -> None:
    """Let processes that are started from now on hold many sockets."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = FILES if hard == resource.RLIM_INFINITY else min(FILES, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, most), hard))
