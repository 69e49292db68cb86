"""What a process takes of the machine, read from outside."""

import contextlib
import os
import time
from collections.abc import Iterator
from pathlib import Path

# clock_getcpuclockid(3): the CPU clock of another process, all its threads together.
CPU_CLOCK_OF_PROCESS = 2


def cpu_seconds(pid: int) -> float:
    """Return the CPU time that a process has taken, in user and kernel mode."""
    return time.clock_gettime((~pid << 3) | CPU_CLOCK_OF_PROCESS)


def memory_kib(pid: int) -> float:
    """Return the resident memory."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1024


def threads(pid: int) -> int:
    return len(os.listdir(f"/proc/{pid}/task"))


def files(pid: int) -> int:
    return len(os.listdir(f"/proc/{pid}/fd"))


def cores() -> tuple[set[int], set[int]]:
    """Return the cores of the server, one, and those of everybody else."""
    every = sorted(os.sched_getaffinity(0))
    return ({every[0]}, set(every[1:])) if len(every) > 1 else (set(every), set(every))


@contextlib.contextmanager
def pinned(to: set[int]) -> Iterator[None]:
    """Have processes that are started meanwhile run on these cores, and no others."""
    usual = os.sched_getaffinity(0)
    os.sched_setaffinity(0, to)
    try:
        yield
    finally:
        os.sched_setaffinity(0, usual)
