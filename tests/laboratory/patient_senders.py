"""The guide's two functions, called again while the database is away, as a queue of tasks does.

What is sent while a database restarts is refused. An application that wants it to be delivered has
to send it again.
"""

import asyncio
from collections.abc import Awaitable, Callable

from django.db import DatabaseError

from api import consumers

# Seconds between two tries.
PAUSE = 0.2


async def broadcast_notification(*arguments) -> None:
    await call_until_accepted(consumers.broadcast_notification, *arguments)


async def broadcast_org_event(*arguments) -> None:
    await call_until_accepted(consumers.broadcast_org_event, *arguments)


async def call_until_accepted(send: Callable[..., Awaitable[None]], *arguments) -> None:
    while True:
        try:
            return await send(*arguments)
        except DatabaseError:
            await asyncio.sleep(PAUSE)
