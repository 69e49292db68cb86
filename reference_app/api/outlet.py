"""Writing to a client without ever waiting for it to read."""

import asyncio
from collections.abc import Awaitable, Callable

from .eager import begin


class Outlet:
    """Sends to one client, and knows whether the client keeps up.

    A server with back-pressure, such as uvicorn, lets `send` wait. Daphne's never does: it holds
    whatever is sent, 190 MiB in a measured case. There, the outlet listens to Twisted, which tells
    the producer of a transport to pause when 64 KiB wait to be written, and to resume when none do.
    Middleware that wraps `send` hides the transport; then Daphne's pings are what bounds it.

    ASGI promises an awaitable from `send`, and no more. What a server is known to do is begun at
    once; any other awaitable is run by a task, from beginning to end.
    """

    def __init__(self, send):
        self.send, self.is_known = send, is_servers_own(send)
        self.resumed: asyncio.Future | None = None
        if protocol := protocol_behind(send):
            # Twisted's HTTP channel, which upgraded the connection, no longer has a say in it.
            protocol.unregisterProducer()
            protocol.registerProducer(self, True)

    def push(self, event: dict) -> Awaitable | None:
        """Send now, as far as that goes without waiting, and return what is left to await."""
        if not self.is_known:
            return Later(self.put, event)
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


class Later:
    """A call that is made when it is awaited, if ever."""

    def __init__(self, function: Callable[[dict], Awaitable], event: dict):
        self.function, self.event = function, event

    def __await__(self):
        return self.function(self.event).__await__()


def protocol_behind(send):
    """Return the WebSocket protocol that Daphne's `send` writes to, None on other servers."""
    candidates = getattr(send, "args", ())  # a `functools.partial` of the protocol
    return next((each for each in candidates if is_without_back_pressure(each)), None)


def is_without_back_pressure(protocol) -> bool:
    """Whether it is Daphne's own; `config.server` has another, whose `send` waits."""
    return hasattr(protocol, "registerProducer") and not hasattr(protocol, "has_back_pressure")


def is_servers_own(send) -> bool:
    """Whether it is the `send` of Daphne or uvicorn themselves, which asks for no task."""
    method = getattr(send, "func", send)  # Daphne's is a partial of it
    owner = type(getattr(method, "__self__", None))
    return any(base.__module__.startswith(("daphne.", "uvicorn.")) for base in owner.__mro__)
