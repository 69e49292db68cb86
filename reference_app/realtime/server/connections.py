"""Keeps clients that are silent from taking the place of others."""

import ipaddress
import logging
import sys
from typing import Any

from twisted.internet.error import ConnectionAborted
from twisted.python.failure import Failure

from ..conf import conf
from ..protocol.addresses import address_in
from ..protocol.limits import Allowance

logger = logging.getLogger(__name__)

# One address alone does not take all places. Behind it there may be a whole office, of which each
# handshake is done in milliseconds.
SHARE = 0.5

# File descriptors that databases, Redis and log files have for themselves: so many at least, and
# so large a part of those that the process may open.
RESERVED, RESERVED_PART = 32, 8


class Connections:
    """Every connection of a server, by what goes on with it, and the oldest first.

    Of the waiting ones, the server expects something: a request, or that an answer is read.
    """

    def __init__(self, trusts_addresses: bool):
        self.trusts_addresses = trusts_addresses
        self.descriptors = usable_descriptors()
        self.waiting: dict[Any, str] = {}
        self.working: dict[Any, str] = {}
        self.open: dict[Any, str] = {}
        self.closing: dict[Any, str] = {}
        self.warnings = Allowance(per_minute=1, burst=1)

    @property
    def places(self) -> tuple[dict[Any, str], ...]:
        return self.waiting, self.working, self.open, self.closing

    def enter(self, transport: Any) -> None:
        """Take a new connection in, and drop one where they are too many."""
        self.waiting[transport] = self.address_of(transport)
        if one_too_many := self.one_too_many(self.waiting[transport]):
            if self.warnings.take():
                logger.warning("Connections are dropped, because too many are pending")
            drop(one_too_many, at_once=one_too_many is not transport)

    def move(self, transport: Any, place: dict[Any, str]) -> None:
        """Put a connection into another place, unless it has ended."""
        for each in self.places:
            if transport in each:
                place[transport] = each.pop(transport)
                return

    def leave(self, transport: Any) -> None:
        for each in self.places:
            each.pop(transport, None)

    def one_too_many(self, address: str) -> Any:
        """Return the connection that is dropped for the new one, which may be itself, or None."""
        pending = len(self.waiting) + len(self.working)
        if sum(map(len, self.places)) > self.descriptors:
            return next(iter(self.closing or self.waiting))
        if pending > conf.MAX_PENDING_CONNECTIONS:
            return next(iter(self.waiting))
        if address and self.pending_of(address) > conf.MAX_PENDING_CONNECTIONS * SHARE:
            return next(each for each, other in self.waiting.items() if other == address)
        return None

    def pending_of(self, address: str) -> int:
        return [*self.waiting.values(), *self.working.values()].count(address)

    def address_of(self, transport: Any) -> str:
        """Return the network of a client, or nothing where others may share its address."""
        host = getattr(transport.getPeer(), "host", None)  # a unix socket has none
        if not host or not self.trusts_addresses:
            return ""
        address = address_in(host)
        if address.is_loopback:
            return ""
        # Each client has 2^64 addresses of IPv6.
        prefix = 64 if address.version == 6 else 32
        return str(ipaddress.ip_network((address, prefix), strict=False))


def drop(transport: Any, at_once: bool) -> None:
    """Hang up, and at once where the next connection needs the descriptor."""
    transport.abortConnection()
    if at_once:
        # What Twisted does in the next round of its loop. Under TLS, it is done to what is below.
        lowest = getattr(transport, "transport", transport)
        lowest.connectionLost(Failure(ConnectionAborted()))


def usable_descriptors() -> int:
    """Return how many connections the process has file descriptors for."""
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return sys.maxsize
    most, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if most == resource.RLIM_INFINITY:
        return sys.maxsize
    return most - max(RESERVED, most // RESERVED_PART)
