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
