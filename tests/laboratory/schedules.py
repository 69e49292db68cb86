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
        """What is hit: redis, server, network, link, sender, database or row."""
        return self.kind.rpartition("_")[2]

    def __str__(self):
        server = f" {self.server}" if self.server else ""
        lasting = f" for {self.seconds:g} s" if self.seconds else ""
        return f"{self.at:g} s: {self.kind.replace('_', ' ')}{server}{lasting}"


# The parts that a fault can hit, and the faults of each. Those of one part do not overlap.
REDIS = ("kill_redis", "freeze_redis", "flush_redis")
SERVER = ("kill_server", "stop_server", "freeze_server")
NETWORK = ("cut_network", "swallow_network", "stall_network", "slow_network", "half_close_network")
# The way to Redis, of servers and senders.
LINK = ("cut_link", "swallow_link", "stall_link", "slow_link")
# Senders of their own, see `sender`: killed before its events have offsets, holding a transaction
# open, crossing another one, with a wrong clock.
SENDER = ("kill_sender", "hold_sender", "cross_sender", "misdate_sender")
# The database goes back to how it was before; a row gets in that cannot be sent.
DATABASE, ROW = ("restore_database",), ("plant_row",)
KINDS = (*REDIS, *SERVER, *NETWORK, *LINK, *SENDER, *DATABASE, *ROW)
AT_ONCE = (
    *("flush_redis", "half_close_network"),
    *("kill_sender", "cross_sender", "misdate_sender", "plant_row"),
)


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

    def only(self, *parts: str) -> "Schedule":
        """Return the faults that hit some parts, in as much time."""
        faults = tuple(fault for fault in self.faults if fault.part in parts)
        kept = self._replace(faults=faults)
        return kept._replace(rest=kept.rest + self.seconds - kept.seconds)

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
    Schedule("senders are killed", repeated("kill_sender", 50, seconds=0, every=0.7)),
    Schedule("transactions cross", repeated("cross_sender", 3, seconds=0, every=5)),
    Schedule("a transaction is held", repeated("hold_sender", 3, seconds=3, every=5)),
    Schedule("clocks are wrong", repeated("misdate_sender", 5, seconds=0, every=2)),
    Schedule("the database goes back", repeated("restore_database", 3, seconds=2, every=4)),
    Schedule("rows are too large", repeated("plant_row", 5, seconds=0, every=2)),
    Schedule(
        "the way to Redis is slow and lossy",
        (
            Fault(1, "slow_link", 3),
            Fault(6, "stall_link", 3),
            Fault(11, "cut_link", 1),
            Fault(14, "swallow_link", 3),
            Fault(19, "cut_link", 0.2),
        ),
    ),
)


def at_random(seed: int, *, seconds: float, servers: int = 1) -> Schedule:
    """Return faults of all parts at random times; the same seed, the same faults."""
    chance = random.Random(seed)
    faults = []
    for kinds, target in [
        (REDIS, 0),
        (NETWORK, 0),
        *((SERVER, server) for server in range(servers)),
        (LINK, 0),
        (SENDER, 0),
        (DATABASE, 0),
        (ROW, 0),
    ]:
        now = chance.uniform(0.5, seconds / 3)
        while now < seconds:
            kind = chance.choice(kinds)
            lasts = 0.0 if kind in AT_ONCE else round(chance.uniform(0.2, seconds / 4), 1)
            faults.append(Fault(round(now, 1), kind, lasts, target))
            now += lasts + chance.uniform(1, seconds / 2)
    return Schedule(f"seed {seed}", tuple(sorted(faults)))
