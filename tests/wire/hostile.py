"""What hostile clients cost a server and the client beside them.

async with neighbor(server) as pings:
    before = footprint(server)
    …
"""

import asyncio
import contextlib
import statistics
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import NamedTuple

from tests.wire.pinging import INTERVAL
from tests.wire.servers import PATIENCE, ServerProcess

PATH = "/ws/notifications/"


class Footprint(NamedTuple):
    """What a process holds."""

    memory_mib: float
    descriptors: int
    threads: int


def footprint(server: ServerProcess) -> Footprint:
    """Return what the process of a server holds now; needs /proc."""
    folder = Path(f"/proc/{server.process.pid}")
    status = dict(line.split(":", 1) for line in (folder / "status").read_text().splitlines())
    memory = int(status["VmRSS"].split()[0]) / 1024
    return Footprint(memory, len([*(folder / "fd").iterdir()]), int(status["Threads"]))


class Pings:
    """The round trips of a neighbor's pings, in seconds."""

    def __init__(self) -> None:
        self.round_trips: list[float] = []

    def start_again(self) -> None:
        self.round_trips.clear()

    async def more(self, count: int) -> None:
        """Wait until so many more pings were answered."""
        wanted = len(self.round_trips) + count
        async with asyncio.timeout(PATIENCE):
            while len(self.round_trips) < wanted:  # noqa: ASYNC110
                await asyncio.sleep(INTERVAL)

    @property
    def p99(self) -> float:
        return statistics.quantiles(self.round_trips, n=100)[-1]


@contextlib.asynccontextmanager
async def neighbor(server: ServerProcess, bearer: str | None = None) -> AsyncIterator[Pings]:
    """Have a user ping the server from a process of its own, because this one may be busy.

    `bearer` is the user's token, by default Bob's.
    """
    if bearer is None:
        from classroom import token  # has Django set up, which the bench does not

        bearer = token("bob")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.wire.pinging", server.ws + PATH, bearer),
        stdout=asyncio.subprocess.PIPE,
    )
    pings = Pings()

    async def read() -> None:
        async for line in process.stdout:
            pings.round_trips.append(float(line))

    reading = asyncio.create_task(read())
    try:
        await pings.more(1)
        yield pings
        assert process.returncode is None, "The neighbor was closed."
    finally:
        reading.cancel()
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
