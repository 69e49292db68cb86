"""A process of a run that is told by a line what to do, and answers with a word."""

import asyncio
import os
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]

# Seconds that a step may take on a machine under load.
PATIENCE = 90


class Child:
    """A Python process that tells what it has reached, and goes on at a line on stdin."""

    def __init__(self, module: str, *arguments: Path | str | int):
        self.module, self.arguments = module, arguments

    async def start(self, environment: dict[str, str], log: Path) -> None:
        self.log = log
        with log.open("wb") as errors:
            self.process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", self.module, *map(str, self.arguments)),
                env=os.environ | environment,
                cwd=ROOT,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=errors,
            )

    async def word(self) -> str:
        """Return the next word that it says."""
        try:
            line = await asyncio.wait_for(self.process.stdout.readline(), PATIENCE)
        except TimeoutError:
            line = b""
        assert line, f"{self.module} did not go on:\n{self.log.read_text()}"
        return line.decode().strip()

    def tell(self, line: str) -> None:
        self.process.stdin.write(f"{line}\n".encode())

    async def end(self, after: float = 0) -> int:
        """Return the exit code; it should end so many seconds from now."""
        return await asyncio.wait_for(self.process.wait(), after + PATIENCE)

    async def kill(self) -> None:
        if self.process.returncode is None:
            self.process.kill()
        # What it said last has to be read: before that asyncio calls no process ended.
        await self.process.communicate()
