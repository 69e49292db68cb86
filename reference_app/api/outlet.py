"""Writing to a client without ever waiting for it to read."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from functools import partial

# What is left of a coroutine that has begun.
Rest = Callable[[], Awaitable[None]]


class Outlet:
    """Sends to one client, and knows whether the client keeps up.

    A server with back-pressure, such as uvicorn, lets `send` wait. Daphne's never does: it holds
    whatever is sent, 190 MiB in a measured case. There, the outlet listens to Twisted, which tells
    the producer of a transport to pause when 64 KiB wait to be written, and to resume when none do.
    Middleware that wraps `send` hides the transport; then Daphne's pings are what bounds it.
    """

    def __init__(self, send):
        self.send = send
        self.resumed: asyncio.Future | None = None
        if protocol := protocol_behind(send):
            # Twisted's HTTP channel, which upgraded the connection, no longer has a say in it.
            protocol.unregisterProducer()
            protocol.registerProducer(self, True)

    def push(self, event: dict) -> Rest | None:
        """Send now, as far as that goes without waiting, and return what is left to do."""
        return begin(self.put(event) if self.resumed else self.send(event))

    async def put(self, event: dict) -> None:
        """Send when the client reads."""
        await self.ready()
        await self.send(event)

    async def ready(self) -> None:
        """Wait until the client reads, as far as the server tells."""
        while self.resumed:
            await self.resumed

    # Twisted's IPushProducer

    def pauseProducing(self) -> None:
        self.resumed = self.resumed or asyncio.get_running_loop().create_future()

    def resumeProducing(self) -> None:
        if self.resumed and not self.resumed.done():
            self.resumed.set_result(None)
        self.resumed = None

    stopProducing = resumeProducing


def protocol_behind(send):
    """Return the WebSocket protocol that Daphne's `send` writes to, None on other servers."""
    candidates = getattr(send, "args", ())  # a `functools.partial` of the protocol
    return next((each for each in candidates if is_without_back_pressure(each)), None)


def is_without_back_pressure(protocol) -> bool:
    """Whether it is Daphne's own; `config.server` has another, whose `send` waits."""
    return hasattr(protocol, "registerProducer") and not hasattr(protocol, "has_back_pressure")


def begin(coroutine: Coroutine) -> Rest | None:
    """Run a coroutine up to where it waits; return the rest of it, or None where it has ended.

    A task for each frame would cost more than sending it; Python 3.12 calls this an eager start.
    """
    try:
        return partial(rest_of, coroutine, step(coroutine))
    except StopIteration:
        return None


async def rest_of(coroutine: Coroutine, awaited: asyncio.Future | None) -> None:
    """Go on with a coroutine that has begun, and waits for a future or for its next turn."""
    while True:
        await (asyncio.sleep(0) if awaited is None else asyncio.wait([awaited]))
        try:
            awaited = step(coroutine)
        except StopIteration:
            return


def step(coroutine: Coroutine) -> asyncio.Future | None:
    """Run a coroutine until it waits, and return for what; raises StopIteration at its end."""
    awaited = coroutine.send(None)
    if awaited is not None:
        # As a task does: while it is set, nobody else may await this future.
        awaited._asyncio_future_blocking = False
    return awaited
