"""Messages to a socket from its own process."""

import asyncio


class Mailbox:
    """Messages for one reader.

    An `asyncio.Queue` would take 3 KB, of the 40 KB that a socket takes.
    """

    def __init__(self) -> None:
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
