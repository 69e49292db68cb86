"""Bounds what all clients together have begun to send."""

from collections.abc import Callable
from typing import Any


class Budget:
    """Bytes that a server holds for its clients, at most so many in all.

    When they are used up, the unfinished holder of the most bytes has to give way. So a client that
    sends little is not kept out by those that send much and never finish.
    """

    def __init__(self, most: Callable[[], int]):
        self.most, self.total = most, 0
        self.held: dict[Any, int] = {}

    def take(self, holder: Any, size: int) -> bool:
        """Count bytes of an unfinished holder, and return whether it may go on."""
        self.held[holder] = self.held.get(holder, 0) + size
        self.total += size
        while self.total > self.most():
            unfinished = (each for each in self.held if each.is_unfinished)
            largest = max(unfinished, key=self.held.__getitem__)
            self.release(largest)
            largest.give_way()
        return holder in self.held

    def release(self, holder: Any) -> None:
        self.total -= self.held.pop(holder, 0)
