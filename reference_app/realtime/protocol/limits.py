"""How much a client may send, be sent, or ask for in how much time."""

import threading
import time
from collections.abc import Callable

# Seconds between two looks for allowances that are full again.
SWEEP = 60


class Allowance:
    """A token bucket that allows `burst` at once, and `per_minute` in the long run."""

    def __init__(self, per_minute: int, burst: int):
        self.per_second, self.burst = per_minute / 60, burst
        self.left, self.counted_at = float(burst), time.monotonic()

    def take(self, amount: int = 1) -> bool:
        """Whether so much more is allowed now.

        More than a burst is allowed when a whole burst is left, and then has to be earned.
        """
        self._earn()
        if self.left < min(amount, self.burst):
            return False
        self.left -= amount
        return True

    @property
    def is_full(self) -> bool:
        self._earn()
        return self.left == self.burst

    @property
    def full_after_ms(self) -> int:
        """Milliseconds in which an exhausted allowance becomes a whole burst again."""
        return round(self.burst / self.per_second * 1000)

    def _earn(self) -> None:
        now = time.monotonic()
        earned = (now - self.counted_at) * self.per_second
        self.left, self.counted_at = min(self.burst, self.left + earned), now


class Allowances:
    """An allowance for each key, such as a user, for all threads of the process.

    One that is full again is forgotten, so those of the last minutes are held, not of all keys.
    """

    def __init__(self, make: Callable[[], Allowance]):
        self.make = make
        self.used: dict[str, Allowance] = {}
        self.sweep_at = 0.0
        self.lock = threading.Lock()

    def take(self, key: str, amount: int = 1) -> int:
        """Return 0 where so much is allowed, or else after how many milliseconds to ask again.

        By then half of a burst is there, also for one whose allowance is shared by many askers.
        """
        with self.lock:
            self._sweep()
            allowance = self.used.get(key) or self.used.setdefault(key, self.make())
            return 0 if allowance.take(amount) else allowance.full_after_ms // 2

    def _sweep(self) -> None:
        if (now := time.monotonic()) >= self.sweep_at:
            self.used = {key: each for key, each in self.used.items() if not each.is_full}
            self.sweep_at = now + SWEEP
