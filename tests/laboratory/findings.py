"""What the checker has to say of a run."""

from dataclasses import dataclass, field
from typing import NamedTuple

# lost        published, and never read by a reader who was not told of the gap
# doubled     read twice, and no position tells that it is the same
# reordered   read after a later one
# late        published when the reader's right to it had ended, but read
# foreign     read by somebody whom it was not for, or never published
# early       read before its transaction had committed
# exchanged   an offset has another entry, or another one before it, than the reader was told
# ambiguous   a position names two entries
# omitted     replaced by `entry.omitted`, though it can be sent
# overtaken   after an event that was sent when this one was sent already
# skipped     an offset that the reader did not get, and was not told of
KINDS = (
    *("lost", "doubled", "reordered", "late", "foreign"),
    *("early", "exchanged", "ambiguous", "omitted", "skipped", "overtaken"),
)


class Finding(NamedTuple):
    kind: str
    # None where all readers are concerned.
    reader: int | None
    # The publisher's number of an event; the offset of what was omitted or skipped.
    number: int


@dataclass
class Report:
    """What the checker found; a run is good when something was read, and nothing is wrong."""

    published: int = 0
    failed: int = 0
    # Deliveries that had to be, and that were made.
    expected: int = 0
    delivered: int = 0
    # Read again, and known by the position: a client drops them.
    repeated: int = 0
    # How often readers came back, and were told that history no longer reaches back.
    returns: int = 0
    unrecovered: int = 0
    # Seconds that the slowest event took to a reader who was there all the time.
    slowest: float = 0.0
    findings: list[Finding] = field(default_factory=list)

    def count(self, kind: str) -> int:
        return sum(finding.kind == kind for finding in self.findings)

    @property
    def is_good(self) -> bool:
        return self.delivered > 0 and not self.findings and not self.failed

    @property
    def share(self) -> float:
        """Percent of the deliveries that had to be made."""
        return 100 * self.delivered / self.expected if self.expected else 100.0

    def __str__(self):
        found = ", ".join(f"{self.count(kind)} {kind}" for kind in KINDS)
        first = "".join(f"\n  {finding}" for finding in self.findings[:10])
        return (
            f"{self.published} published, {self.failed} failed, {self.delivered} of {self.expected}"
            f" delivered ({self.share:.1f} %), {found}, {self.repeated} repeated,"
            f" {self.returns} returns, {self.unrecovered} unrecovered{first}"
        )
