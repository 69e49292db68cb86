"""Daphne that drains, bounds what it holds, and says why it closes.

    python -m config.server config.asgi:application

It takes the arguments of `daphne`, by Daphne's own hook (`CommandLineInterface.server_class`), and
differs where Daphne was measured to fail its clients:

- On SIGTERM Daphne drops every client with 1006, and no `disconnect()` runs: `Server.drain`.
- It loses the reason of a close, and refuses 1011 and 1012 to applications (daphne#374): `close`.
- It answers a protocol error by a reset, where RFC 6455, 7.1.7, asks for a code: `failByDrop`.
- It never sends a message that is empty, and raises in an application that sends into a close that
  the server has begun: `send`.
- A socket whose application has ended stays open, and answers pings for ever: `application_ended`.
- It reads whatever is sent, however slow the application is: `onMessage`, `take`.
- It holds whatever is to be written, however slow the client is: `writable`.
"""

import asyncio
import math
from functools import partial

from daphne.cli import CommandLineInterface as DaphneCommandLine
from daphne.server import Server as DaphneServer
from daphne.ws_protocol import WebSocketProtocol
from django.conf import settings
from twisted.internet import defer

# RFC 6455, 7.4.1; 1012 is registered with IANA.
NORMAL, INTERNAL_ERROR, SERVICE_RESTART = 1000, 1011, 1012

# Bytes of a close reason: a control frame has 125 (RFC 6455, 5.5), the code takes two.
LONGEST_REASON = 123

# Messages that may wait for an application; reading goes on when half of them are taken.
MOST_WAITING = 64

# Seconds for a client to answer a close frame before its connection is dropped.
CLOSE_PATIENCE = 5

# Sockets are closed in so many batches a second, so that not all come back at once.
BATCHES_A_SECOND = 10

# Seconds that applications may take to end, once the last socket was told.
END_PATIENCE = 5


class WebSocket(WebSocketProtocol):
    """One socket: closes with a reason, and lets neither of its two queues grow."""

    # An application that sends has to wait, so it need not watch the transport itself.
    has_back_pressure = True

    waiting = 0
    resumed: asyncio.Future | None = None

    def onOpen(self):
        self.unregisterProducer()  # Twisted's HTTP channel, which upgraded the connection
        self.registerProducer(self, True)
        super().onOpen()
        if self.server.is_draining:
            self.restart()

    # Outwards

    def handle_reply(self, message):
        if message["type"] == "websocket.close" and self.state == self.STATE_OPEN:
            return self.close(message.get("code") or NORMAL, message.get("reason") or "")
        if message["type"] == "websocket.send" and self.state != self.STATE_CONNECTING:
            return self.send(message.get("bytes"), message.get("text"))
        super().handle_reply(message)

    def send(self, data: bytes | None, text: str | None) -> None:
        """Send one message; nothing into a close, of which the application is yet to hear."""
        if self.state == self.STATE_OPEN:
            self.sendMessage(text.encode() if data is None else data, isBinary=data is not None)

    def close(self, code: int, reason: str = "") -> None:
        """Close with any code, and a reason; a second close is ignored."""
        text = reason.encode()[:LONGEST_REASON].decode(errors="ignore").encode()
        self.sendCloseFrame(code=code, reasonUtf8=text)

    def restart(self) -> None:
        """Say that the server restarts; a handshake that is not over yet is told when it is."""
        if self.state == self.STATE_OPEN:
            self.close(SERVICE_RESTART, "The server restarts.")

    def application_ended(self, well: bool) -> None:
        if self.state == self.STATE_OPEN:
            self.close(NORMAL if well else INTERNAL_ERROR)

    async def writable(self) -> None:
        """Wait until the client reads; Twisted says when 64 KiB wait to be written."""
        while self.resumed and self.state == self.STATE_OPEN:
            await asyncio.wait([self.resumed])

    def pauseProducing(self):
        self.resumed = self.resumed or asyncio.get_running_loop().create_future()

    def resumeProducing(self):
        if self.resumed:
            self.resumed.set_result(None)
        self.resumed = None

    stopProducing = resumeProducing

    # Inwards

    def onMessage(self, payload, isBinary):
        super().onMessage(payload, isBinary)
        self.waiting += 1
        if self.waiting == MOST_WAITING:
            self.transport.pauseProducing()

    async def take(self, receive) -> dict:
        """Return the next event for the application, and go on reading when few wait."""
        event = await receive()
        if event["type"] == "websocket.receive":
            self.waiting -= 1
            if self.waiting == MOST_WAITING // 2:
                self.transport.resumeProducing()
        return event

    def onClose(self, wasClean, code, reason):
        self.resumeProducing()
        super().onClose(wasClean, code, reason)


class Server(DaphneServer):
    """Daphne's server, with sockets of our kind, that drains before it stops."""

    def __init__(self, application, **options):
        super().__init__(partial(self.run_application, application), **options)
        self.ports, self.is_draining = [], False

    @property
    def ws_factory(self):
        return self._ws_factory

    @ws_factory.setter
    def ws_factory(self, factory):
        """Take Daphne's factory as `run` makes it, and have it make sockets of our kind."""
        factory.protocol = WebSocket
        factory.setProtocolOptions(failByDrop=False, closeHandshakeTimeout=CLOSE_PATIENCE)
        self._ws_factory = factory

    async def run_application(self, application, scope, receive, send):
        """Run the application of one connection, and leave no socket open that it has left."""
        if scope["type"] != "websocket":
            return await application(scope, receive, send)
        (socket,) = send.args  # Daphne's `send` is a partial of its protocol
        ended_well = False
        try:
            await application(scope, partial(socket.take, receive), send)
            ended_well = True
        finally:
            socket.application_ended(ended_well)

    async def handle_reply(self, protocol, message):
        if message["type"] == "websocket.send":
            await protocol.writable()
        await super().handle_reply(protocol, message)

    def listen_success(self, port):
        self.ports.append(port)
        super().listen_success(port)

    def kill_all_applications(self):
        """Called before the reactor stops, which waits for what is returned."""
        return defer.Deferred.fromFuture(asyncio.ensure_future(self.drain()))

    async def drain(self) -> None:
        """Let nobody in, close every socket with 1012, batch by batch, and let applications end."""
        self.is_draining = True
        for port in self.ports:
            port.stopListening()
        sockets = [each for each in self.connections if isinstance(each, WebSocket)]
        batches = max(1, settings.WEBSOCKET_DRAIN_SECONDS * BATCHES_A_SECOND)
        for batch in batched(sockets, math.ceil(len(sockets) / batches) or 1):
            for socket in batch:
                socket.restart()
            await asyncio.sleep(1 / BATCHES_A_SECOND)
        await self.applications_ended()

    async def applications_ended(self) -> None:
        """Wait until every application has ended; one that does not is cancelled."""
        every = [details.get("application_instance") for details in self.connections.values()]
        running = [task for task in every if task and not task.done()]
        if running:
            _, running = await asyncio.wait(running, timeout=END_PATIENCE)
        for task in running:
            task.cancel()
        if running:
            await asyncio.wait(running, timeout=END_PATIENCE)


def batched(sockets: list, size: int):
    return (sockets[start : start + size] for start in range(0, len(sockets), size))


class CommandLineInterface(DaphneCommandLine):
    description = "Daphne that drains, bounds what it holds, and says why it closes"
    server_class = Server


if __name__ == "__main__":
    CommandLineInterface.entrypoint()
