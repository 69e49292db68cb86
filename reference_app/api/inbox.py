"""What a socket has yet to be told by its own process."""

import asyncio


class Inbox:
    """Messages for one reader; an `asyncio.Queue` would take 3 KB, of 40 that a socket takes."""

    def __init__(self):
        self.messages: list[dict] = []
        self.arrival: asyncio.Future | None = None

    def put(self, message: dict) -> None:
        self.messages.append(message)
        if self.arrival and not self.arrival.done():
            self.arrival.set_result(None)

    async def get(self) -> dict:
        """Wait for the next message, and take it."""
        while not self.messages:
            self.arrival = asyncio.get_running_loop().create_future()
            await self.arrival
        return self.messages.pop(0)
