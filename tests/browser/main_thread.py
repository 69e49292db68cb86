"""What the main thread of a page does, from Chromium's own trace."""

import contextlib
import json
from collections.abc import AsyncIterator

# The scheduler's tasks, each from one turn of the event loop to the next.
TASK = "ThreadControllerImpl::RunTask"


@contextlib.asynccontextmanager
async def traced_tasks(browser, page) -> AsyncIterator[list[float]]:
    """Yield a list that holds, once the block is left, the CPU milliseconds of each task.

    CPU time, because a machine under load makes any task long by the clock.
    """
    tasks: list[float] = []
    await browser.start_tracing(page=page, categories=["toplevel"])
    try:
        yield tasks
    finally:
        trace = json.loads(await browser.stop_tracing())["traceEvents"]
        tasks += cpu_of_tasks(trace)


# Rounds of a loop that took a little over 200 ms on the machine where this was measured. After 200
# ms a user notices that a page does not answer. A slower machine needs longer for these rounds, and
# for the page's own tasks alike.
ROUNDS = 22_000_000

WORK = """rounds => {
  let sum = 0;
  for (let round = 0; round < rounds; round++) sum += Math.sqrt(round) % 7;
  return sum;
}"""


async def noticed_after(browser, page) -> float:
    """Return the CPU milliseconds of a task that is just too long, on this machine, now."""
    longest = 0.0
    while longest < 1:  # a trace may begin too late to show it
        async with traced_tasks(browser, page) as tasks:
            await page.evaluate(WORK, ROUNDS)
        longest = max(tasks, default=0.0)
    return longest


def cpu_of_tasks(trace: list[dict]) -> list[float]:
    """Return the milliseconds of CPU of each task of any page's main thread.

    `tdur` is the CPU time in microseconds, and left out where it rounds to none; `dur`, by the
    clock, is never less.
    """
    main_threads = {
        (event["pid"], event["tid"])
        for event in trace
        if event["name"] == "thread_name" and event["args"]["name"] == "CrRendererMain"
    }
    return [
        event.get("tdur", event.get("dur", 0)) / 1_000
        for event in trace
        if event["name"] == TASK and (event["pid"], event["tid"]) in main_threads
    ]
