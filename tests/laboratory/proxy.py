"""A TCP proxy between clients and a server, which fails as networks do."""

import asyncio
from contextlib import suppress

from tests.wire.servers import free_port

CHUNK = 65_536


class Link:
    """One connection through the proxy: the client's end and the server's."""

    def __init__(self, client: asyncio.StreamWriter, server: asyncio.StreamWriter):
        self.client, self.server = client, server

    def abort(self) -> None:
        """Reset both ends; what was on its way is gone."""
        self.client.transport.abort()
        self.server.transport.abort()


class Proxy:
    """Passes bytes on to a port of this machine, until it is told to fail."""

    def __init__(self, target: int):
        self.target, self.port = target, free_port()
        self.links: set[Link] = set()
        self.handlers: set[asyncio.Task] = set()
        # Seconds that each chunk takes.
        self.delay = 0.0
        self.swallows = False
        self.flows = asyncio.Event()
        self.flows.set()

    async def __aenter__(self) -> "Proxy":
        await self.listen()
        return self

    async def __aexit__(self, *exception) -> None:
        self.listener.close()
        self.flows.set()
        self.abort_all()
        await asyncio.gather(*self.handlers)

    async def listen(self) -> None:
        self.listener = await asyncio.start_server(self.connect, "127.0.0.1", self.port)

    def abort_all(self) -> None:
        for link in self.links:
            link.abort()

    # Faults

    async def cut(self, seconds: float) -> None:
        """Drop all connections, and refuse new ones for a time."""
        self.listener.close()
        self.abort_all()
        await asyncio.sleep(seconds)
        await self.listen()

    async def swallow(self, seconds: float) -> None:
        """Let bytes vanish for a time, and take new connections into the void, then drop all."""
        self.swallows = True
        await asyncio.sleep(seconds)
        self.swallows = False
        self.abort_all()

    async def stall(self, seconds: float) -> None:
        """Hold bytes back for a time, then deliver them: what TCP makes of a short outage."""
        self.flows.clear()
        await asyncio.sleep(seconds)
        self.flows.set()

    async def slow_down(self, seconds: float, delay: float = 0.05) -> None:
        """Let each chunk take longer for a time."""
        self.delay = delay
        await asyncio.sleep(seconds)
        self.delay = 0.0

    async def half_close(self) -> None:
        """End one direction of each connection: the server hears no more, or the client does."""
        for number, link in enumerate(self.links):
            writer = link.server if number % 2 else link.client
            with suppress(OSError):
                writer.write_eof()

    # Passing on

    async def connect(self, reader, writer) -> None:
        """Connect one client with the server for as long as both stay."""
        handler = asyncio.current_task()
        self.handlers.add(handler)
        handler.add_done_callback(self.handlers.discard)
        try:
            from_server, to_server = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            writer.transport.abort()
            return
        link = Link(writer, to_server)
        self.links.add(link)
        try:
            async with asyncio.TaskGroup() as pumps:
                pumps.create_task(self.pump(reader, to_server))
                pumps.create_task(self.pump(from_server, writer))
        except* (OSError, RuntimeError):  # RuntimeError: written to after a half-close
            pass
        finally:
            link.abort()
            self.links.discard(link)

    async def pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        while chunk := await source.read(CHUNK):
            await self.flows.wait()
            if self.swallows:
                continue
            if self.delay:
                await asyncio.sleep(self.delay)
            sink.write(chunk)
            await sink.drain()
        if not sink.is_closing():
            sink.write_eof()
