"""Where the bench's events come from: another process, such as a worker's, which does as told.

    python -m tests.bench.event_source module

The module has the two functions that send.
"""

import asyncio
import sys
import time
from importlib import import_module

import django

from tests.bench.orders import obey
from tests.laboratory.audience import ORGANIZATIONS

HALL = str(ORGANIZATIONS["hall"])

# Bytes that an event carries along; with them it has about 292 of JSON.
PADDING = 180


class Sender:
    def __init__(self, module: str):
        self.senders = import_module(module)

    async def event(self, number: int = 1, every: float = 0, padding: int = PADDING) -> dict:
        """Send one event after the other to the organization."""
        begin = time.time()
        for turn in range(number):
            await asyncio.sleep(max(0, begin + turn * every - time.time()))
            data = {"padding": "x" * padding, "sent_at": time.time()}
            await self.senders.broadcast_org_event(HALL, "measured", data)
        return {"began_at": begin}

    async def notify(self, subjects: list[str], senders: int) -> dict:
        """Send each user one notification, by so many tasks at a time."""
        waiting = iter(subjects)

        async def send() -> None:
            for subject in waiting:
                await self.senders.broadcast_notification(subject, {"title": "x" * PADDING})

        begin = time.time()
        await asyncio.gather(*(send() for _ in range(senders)))
        return {"began_at": begin}


def main(module: str) -> None:
    django.setup()
    sender = Sender(module)
    obey({"event": sender.event, "notify": sender.notify})


if __name__ == "__main__":
    main(*sys.argv[1:])
