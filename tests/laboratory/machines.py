"""Machines at the other end of a cable, which are network namespaces of this one.

with machines(2) as (one, other):
    …
    one.cut()
    one.connect()

A process on one has that network and no other, and the files of this machine.
"""

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from ipaddress import IPv4Address

import pytest

from tests.lanes import MAY_NOT_MAKE_NETWORKS

# RFC 2544 keeps 198.18.0.0/15 for tests of networks. A cable takes four addresses.
FIRST, CABLES = IPv4Address("198.18.0.0"), 2**15

# How a machine calls its end of the cable.
CABLE = "cable"


class Machine:
    """A machine that is reached by `address`, and calls this one by `host`.

    Each other machine reaches this one by that address too, also while the cable is cut.
    """

    def __init__(self, number: int):
        # Another run may have machines at the same time. A device's name has 15 letters at most.
        self.name = f"lab{os.getpid()}-{number}"
        network = FIRST + 4 * ((os.getpid() * 8 + number) % CABLES)
        self.host, self.address = str(network + 1), str(network + 2)
        # Run a command on it, when put before that.
        self.prefix = ["ip", "netns", "exec", self.name]

    def make(self) -> None:
        ip("netns", "add", self.name)
        end = ["peer", "name", CABLE, "netns", self.name]
        ip("link", "add", self.name, "type", "veth", *end)
        ip("address", "add", f"{self.host}/30", "dev", self.name)
        ip("link", "set", self.name, "up")
        ip("-n", self.name, "address", "add", f"{self.address}/30", "dev", CABLE)
        ip("-n", self.name, "link", "set", "lo", "up")
        self.connect()

    def connect(self) -> None:
        ip("-n", self.name, "link", "set", CABLE, "up")
        # The route has gone with the link.
        ip("-n", self.name, "route", "replace", "default", "via", self.host)

    def cut(self) -> None:
        """Let nothing through.

        Connections stay open at both ends, because neither end is told.
        """
        ip("-n", self.name, "link", "set", CABLE, "down")

    def remove(self) -> None:
        """Remove it, if it is there, and with it the cable."""
        subprocess.run(["ip", "netns", "delete", self.name], capture_output=True)


@contextlib.contextmanager
def machines(number: int) -> Iterator[list[Machine]]:
    """Make machines, and remove them in the end, also after a failure."""
    if shutil.which("ip") is None:
        pytest.skip("needs ip: install it, Debian's package is iproute2")
    made = [Machine(each) for each in range(number)]
    try:
        for machine in made:
            machine.make()
        yield made
    finally:
        for machine in made:
            machine.remove()


def ip(*words: str) -> None:
    done = subprocess.run(["ip", *words], capture_output=True, text=True)
    if "not permitted" in done.stderr or "denied" in done.stderr:
        pytest.skip(MAY_NOT_MAKE_NETWORKS)
    assert done.returncode == 0, f"ip {' '.join(words)}: {done.stderr}"
