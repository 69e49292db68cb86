"""Coming and going for minutes: what of the server grows."""

import statistics
import time
from collections.abc import AsyncIterator
from typing import NamedTuple

import redis

from tests.bench import process
from tests.bench.orders import ask
from tests.bench.scenarios import EVENTS_PATH, NOTIFICATIONS_PATH, SILENCE, WARM_UP
from tests.bench.stand import Stand
from tests.wire.servers import eventually

# Clients of one wave, and seconds from one sample to the next.
WAVE, SAMPLE = 100, 10


class Sample(NamedTuple):
    """The server between two waves, with hardly anybody there."""

    memory_mib: float
    threads: int
    files: int
    redis_keys: int


async def churn(stand: Stand, seconds: float) -> AsyncIterator[str]:
    """Let wave after wave come, hear an event and go, half of them without a word."""
    begin, waves, samples, due = time.monotonic(), 0, [], 0.0
    while time.monotonic() - begin < seconds or len(samples) < 4:
        await wave(stand, NOTIFICATIONS_PATH if waves % 2 else EVENTS_PATH)
        waves += 1
        if time.monotonic() >= due:
            samples.append(sample(stand))
            due = time.monotonic() + SAMPLE
            yield f"{waves * WAVE} connections: {samples[-1]}"
    yield summary(samples)


async def wave(stand: Stand, path: str) -> None:
    resting = process.files(stand.pid)
    await stand.open(WAVE, path)
    if path == EVENTS_PATH:
        await ask(stand.crowd, "expect", messages=WAVE)
        await stand.send_one()
        answer = await ask(stand.crowd, "all", silence=SILENCE)
        assert answer["received"] == WAVE, f"{answer['received']} of {WAVE} heard the event"
    await ask(stand.crowd, "leave")
    # A socket is closed when its application has ended; a few connections to the parts may stay.
    await eventually(lambda: process.files(stand.pid) <= resting + WARM_UP)


def sample(stand: Stand) -> Sample:
    with redis.Redis(host="127.0.0.1", port=stand.redis.port) as connection:
        keys = connection.dbsize()
    pid = stand.pid
    return Sample(
        round(process.memory_kib(pid) / 1024, 1), process.threads(pid), process.files(pid), keys
    )


def summary(samples: list[Sample]) -> str:
    """Compare the second quarter of the samples, when all is warm, with the last."""
    quarter = len(samples) // 4
    early, late = (
        Sample(*map(statistics.median, zip(*some, strict=True)))
        for some in (samples[quarter : 2 * quarter], samples[-quarter:])
    )
    return f"In the second quarter {early}, in the last {late}."
