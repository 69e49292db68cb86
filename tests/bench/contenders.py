"""What the bench compares: the reference, the guide as written, and a bare application."""

import itertools
from typing import NamedTuple

from tests.laboratory.stacks import Stack, guide
from tests.wire.servers import COMMANDS


class Contender(NamedTuple):
    """An application on a server; `kind` is `reference`, `guide` or `bare`."""

    kind: str
    server: str
    layer: str
    stack: Stack

    def __str__(self):
        layer = f", {self.layer}" if self.layer else ""
        return f"{self.kind} on {self.server}{layer}"


def reference(server: str, layer: str) -> Contender:
    return Contender("reference", server, layer, Stack(server, layer))


def bare(server: str) -> Contender:
    return Contender("bare", server, "", Stack(server, application="tests.bench.bare:application"))


def guide_on(server: str) -> Contender:
    """The guide as written; it names Daphne, and its consumers run on uvicorn too."""
    return Contender("guide", server, "core", guide(server=server))


def everybody(*, quick: bool) -> list[Contender]:
    """Return all contenders, those beside each other that are compared."""
    layers = ["pubsub"] if quick else ["pubsub", "core"]
    servers = [*COMMANDS]
    guides = ["daphne"] if quick else ["daphne", "uvicorn"]
    return [
        *(bare(server) for server in servers),
        *(reference(server, layer) for layer, server in itertools.product(layers, servers)),
        *(guide_on(server) for server in guides),
    ]
