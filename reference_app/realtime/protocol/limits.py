"""How much a client may send in how much time."""

import time


class Allowance:
    """A token bucket that allows `burst` messages at once, and `per_minute` in the long run."""

    def __init__(self, per_minute: int, burst: int):
        self.per_second, self.burst = per_minute / 60, burst
        self.left, self.counted_at = float(burst), time.monotonic()

    def take(self) -> bool:
        """Whether one more message is allowed now."""
        now = time.monotonic()
        earned = (now - self.counted_at) * self.per_second
        self.left, self.counted_at = min(self.burst, self.left + earned), now
        if self.left < 1:
            return False
        self.left -= 1
        return True

    @property
    def full_after_ms(self) -> int:
        """Milliseconds in which an exhausted allowance becomes a whole burst again."""
        return round(self.burst / self.per_second * 1000)
