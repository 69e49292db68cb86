"""What a notebook leaves behind in its process, which a second run of it must not find."""

import asyncio
import logging
import re
import weakref
from contextlib import suppress

# What was opened and not closed, in this order; each has an `aclose`.
left_open: dict = {}

# Where the code of tasks is that a cell has begun. The tasks of `realtime` serve the whole process.
OF_A_CELL = re.compile(r"/(ipykernel_\d+|channels)/")

# What loggers were like at first.
loggers_at_first: dict[logging.Logger, dict] = {}


def opened(thing) -> None:
    left_open[thing] = None


def closed(thing) -> None:
    left_open.pop(thing, None)


async def clear_away() -> None:
    """End tasks, close what is open, and take away what was hooked into loggers and signals."""
    await cancel_tasks()
    while left_open:
        thing, _ = left_open.popitem()
        with suppress(Exception):  # a clean start matters more than why there was none
            await thing.aclose()
    restore_loggers()
    disconnect_receivers()


async def cancel_tasks() -> None:
    """Cancel what a cell has begun and no cell has ended, such as a worker."""
    tasks = {task for task in asyncio.all_tasks() if is_of_a_cell(task)}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def is_of_a_cell(task: asyncio.Task) -> bool:
    code = getattr(task.get_coro(), "cr_code", None)
    is_current = task is asyncio.current_task()
    return code is not None and not is_current and bool(OF_A_CELL.search(code.co_filename))


def remember_loggers() -> None:
    for logger in [logging.root, *logging.root.manager.loggerDict.values()]:
        if isinstance(logger, logging.Logger):
            state = {"filters": [*logger.filters], "handlers": [*logger.handlers]}
            state |= {"level": logger.level, "propagate": logger.propagate}
            loggers_at_first[logger] = state


def restore_loggers() -> None:
    for logger, state in loggers_at_first.items():
        logger.setLevel(state["level"])
        logger.propagate = state["propagate"]
        logger.filters[:], logger.handlers[:] = state["filters"], state["handlers"]


def disconnect_receivers() -> None:
    """Disconnect the receivers of signals that a notebook has defined."""
    for signal in signals():
        with signal.lock:
            signal.receivers = [each for each in signal.receivers if not of_a_notebook(each[1])]
            signal.sender_receivers_cache.clear()


def signals() -> list:
    from django.core import signals as of_requests
    from django.db.models import signals as of_models
    from django.dispatch import Signal

    from realtime import signals as of_sockets

    modules = (of_requests, of_models, of_sockets)
    return [
        each for module in modules for each in vars(module).values() if isinstance(each, Signal)
    ]


def of_a_notebook(receiver) -> bool:
    function = receiver() if isinstance(receiver, weakref.ref) else receiver
    return getattr(function, "__module__", None) == "__main__"
