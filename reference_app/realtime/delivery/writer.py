"""Writes to a client without blocking on one that does not read."""

from collections.abc import Awaitable, Callable, Generator
from typing import Any

from ..server.back_pressure import back_pressure_of, is_servers_own
from .eager_start import start_eagerly

# An ASGI message, which carries a frame.
Event = dict[str, Any]
Send = Callable[[Event], Awaitable[object]]


class Writer:
    """Sends frames to one client, and knows whether the client keeps up.

    ASGI only promises that `send` returns an awaitable. Where the server is known, `send` is
    started at once; any other awaitable is run by a task, from beginning to end.
    """

    def __init__(self, send: Send):
        self.asgi_send, self.is_known = send, is_servers_own(send)
        self.back_pressure = back_pressure_of(send)

    def send_nowait(self, event: Event) -> Awaitable[object] | None:
        """Send now, as far as that goes without waiting, and return what is left to await."""
        if not self.is_known:
            return Later(self.send, event)
        waits = self.back_pressure.resumed
        return start_eagerly(self.send(event) if waits else self.asgi_send(event))

    async def send(self, event: Event) -> None:
        """Send when the client reads."""
        await self.ready()
        await self.asgi_send(event)

    async def ready(self) -> None:
        """Wait until the client reads, as far as the server tells."""
        await self.back_pressure.writable()


class Later:
    """A call that is made when it is awaited, if ever."""

    def __init__(self, function: Send, event: Event):
        self.function, self.event = function, event

    def __await__(self) -> Generator[Any, Any, object]:
        return self.function(self.event).__await__()
