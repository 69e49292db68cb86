"""What each server does in each case of the table in README.md, today."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager

from tests.wire.behaviours import CASES, Case
from tests.wire.servers import COMMANDS, ServerProcess, serving

APPLICATION = "tests.wire.variants.server_cases:application"
ENVIRONMENT = {"DJANGO_SETTINGS_MODULE": "config.settings.local", "REALTIME_DRAIN_SECONDS": "1"}


def measured_on_all() -> dict[str, dict[str, str]]:
    """Return by server, and then by case, what the server does; all are measured at once."""
    with ThreadPoolExecutor() as pool:
        return dict(zip(COMMANDS, pool.map(measured, COMMANDS), strict=True))


def measured(name: str) -> dict[str, str]:
    """Return what the server of that name does in each case."""
    return asyncio.run(seen_of(name))


async def seen_of(name: str) -> dict[str, str]:
    with started(name) as server:
        waiting = {words: case for words, case in CASES.items() if case.waits}
        tasks = {words: asyncio.create_task(case.see(server)) for words, case in waiting.items()}
        others = {words: case for words, case in CASES.items() if not case.waits}
        seen = {words: await seen_in(case, name, server) for words, case in others.items()}
        seen |= {words: await task for words, task in tasks.items()}
    return {words: seen[words] for words in CASES}


async def seen_in(case: Case, name: str, server: ServerProcess) -> str:
    if not case.ends_the_server:
        return await case.see(server)
    with started(name) as another:
        return await case.see(another)


def started(name: str) -> AbstractContextManager[ServerProcess]:
    return serving([*COMMANDS[name], APPLICATION], **ENVIRONMENT)
