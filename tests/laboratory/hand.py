"""The laboratory's end of the keeper, the process that works on the database by hand."""

import asyncio
import json
from pathlib import Path

from tests.laboratory.child import Child


class Hand:
    """Gives orders to a keeper, one at a time."""

    def __init__(self):
        self.turn = asyncio.Lock()
        self.child: Child | None = None

    def keeper(self, history: Path) -> Child:
        self.child = Child("tests.laboratory.keeper", history)
        return self.child

    async def order(self, order: str) -> str:
        """Have an order carried out, and return the answer."""
        async with self.turn:
            self.child.tell(order)
            return await self.child.word()

    async def ends(self, streams: list[str], patience: float) -> dict[str, str]:
        """Return the position at which each stream ends, once nothing is pending."""
        return json.loads(await self.order(f"end {patience} {' '.join(streams)}"))
