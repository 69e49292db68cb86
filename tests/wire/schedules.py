"""What goes wrong in a run, and when: data, so that a seed names it and a report can print it."""

import random
from typing import NamedTuple


class Fault(NamedTuple):
    """A fault begins so many seconds into a run, and lasts for some, if it can last at all."""

    at: float
    kind: str
    seconds: float = 0.0
    # Which of the servers, where there are several.
    server: int = 0

    @property
    def part(self) -> str:
        """What is hit: redis, server or network."""
        return self.kind.rpartition("_")[2]

    def __str__(self):
        server = f" {self.server}" if self.server else ""
        lasting = f" for {self.seconds:g} s" if self.seconds else ""
        return f"{self.at:g} s: {self.kind.replace('_', ' ')}{server}{lasting}"


# The parts that a fault can hit, and the faults of each. Those of one part do not overlap.
REDIS = ("kill_redis", "freeze_redis", "flush_redis")
SERVER = ("kill_server", "stop_server", "freeze_server")
NETWORK = ("cut_network", "swallow_network", "stall_network", "slow_network", "half_close_network")
AT_ONCE = ("flush_redis", "half_close_network")


class Schedule(NamedTuple):
    name: str
    faults: tuple[Fault, ...]
    # Seconds after the last fault in which events still go out.
    rest: float = 1.0

    @property
    def seconds(self) -> float:
        return max((fault.at + fault.seconds for fault in self.faults), default=0.0) + self.rest

    @property
    def servers(self) -> int:
        """How many servers are hit."""
        return 1 + max((fault.server for fault in self.faults), default=0)

    def longest(self, kind: str) -> float:
        return max((fault.seconds for fault in self.faults if fault.kind == kind), default=0.0)

    def hits(self, part: str) -> bool:
        return any(fault.part == part for fault in self.faults)

    def __str__(self):
        return f"{self.name} ({'; '.join(map(str, self.faults))})" if self.faults else self.name


def repeated(kind: str, times: int, *, seconds: float, every: float) -> tuple[Fault, ...]:
    """Return the same fault again and again, from one second into the run."""
    return tuple(Fault(1 + every * time, kind, seconds) for time in range(times))


def in_turn(servers: int, *, rounds: int, every: float, kind: str = "stop_server"):
    """Return the restarts of servers, one after the other."""
    turns = range(servers * rounds)
    return tuple(Fault(1 + every * turn, kind, 0.2, turn % servers) for turn in turns)


CALM = Schedule("nothing fails", ())

# What the project promises to survive, in full length; first, how it is while nothing fails.
PROMISED = (
    CALM._replace(rest=10),
    Schedule("Redis is killed", (Fault(2, "kill_redis", 3), Fault(8, "kill_redis", 1))),
    Schedule("Redis is frozen", (Fault(2, "freeze_redis", 10),)),
    Schedule("Redis is flushed", repeated("flush_redis", 3, seconds=0, every=3)),
    Schedule("the server is killed", repeated("kill_server", 2, seconds=0.5, every=5)),
    Schedule("the network is cut", repeated("cut_network", 15, seconds=2, every=4)),
    Schedule("servers restart in turn", in_turn(2, rounds=2, every=5)),
)


def at_random(seed: int, *, seconds: float, servers: int = 1) -> Schedule:
    """Return faults of all parts at random times; the same seed, the same faults."""
    chance = random.Random(seed)
    faults = []
    for kinds, target in [
        (REDIS, 0),
        (NETWORK, 0),
        *((SERVER, server) for server in range(servers)),
    ]:
        now = chance.uniform(0.5, seconds / 3)
        while now < seconds:
            kind = chance.choice(kinds)
            lasts = 0.0 if kind in AT_ONCE else round(chance.uniform(0.2, seconds / 4), 1)
            faults.append(Fault(round(now, 1), kind, lasts, target))
            now += lasts + chance.uniform(1, seconds / 2)
    return Schedule(f"seed {seed}", tuple(sorted(faults)))
