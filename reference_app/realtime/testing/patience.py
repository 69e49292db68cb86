"""How long a test waits before it fails."""

import asyncio
import inspect
from collections.abc import Callable
from typing import Any

# Seconds that a machine under load may take for what usually takes one.
PATIENCE = 60


async def eventually(holds: Callable[[], Any]) -> None:
    """Wait until a predicate, sync or async, holds: for what has no event to await."""
    async with asyncio.timeout(PATIENCE):
        while not await settled(holds()):  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def settled(result: Any) -> Any:
    return await result if inspect.isawaitable(result) else result
