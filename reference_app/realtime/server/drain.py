"""Daphne's server with sockets of our kind, that drains before it stops."""

import asyncio
import logging
import math
from functools import partial

from daphne.server import Server as DaphneServer
from django.conf import settings
from twisted.internet import defer, reactor

from ..conf import conf
from ..protocol.limits import Allowance
from ..signals import drain_began
from .budget import Budget
from .channel import Factory
from .connections import Connections
from .memory import give_memory_back, leave_startup_alone
from .notify import DRAINING, LISTENING, notify
from .root_path import is_below, refuse_path
from .signals import ignore_signals, stop_on_signals
from .websocket import WebSocket

logger = logging.getLogger(__name__)

# Seconds for a client to answer a close frame before its connection is dropped.
CLOSE_PATIENCE = 5

# Sockets are closed in this many batches a second, so that not all clients come back at once.
BATCHES_A_SECOND = 10

# Pieces of refused requests that are read in a second, each of 64 KiB at most.
DISCARDS_A_SECOND = 2_000

# Seconds that applications may take to end, once the last socket was told.
END_PATIENCE = 5


class Server(DaphneServer):
    """Daphne's server, which closes each socket with 1012 before it stops."""

    def __init__(self, application, **options):
        # A body comes to the application in one piece, and not in pieces of 8 KiB.
        options["request_buffer_size"] = conf.MAX_BODY_BYTES + 1
        super().__init__(partial(self.run_application, application), **options)
        self.ports, self.is_draining, self.is_stopping = [], False, False
        self.clients = Connections(trusts_addresses=not self.proxy_forwarded_address_header)
        self.bodies = Budget(lambda: conf.MAX_BODIES_BYTES)
        # Of messages that wait for the application.
        self.bytes_waiting = 0
        # Pieces of refused requests that are read, to be thrown away.
        self.discards = Allowance(60 * DISCARDS_A_SECOND, DISCARDS_A_SECOND // 10)
        self.unfinished = Budget(lambda: conf.MAX_UNFINISHED_BYTES)

    @property
    def http_factory(self):
        return self._http_factory

    @http_factory.setter
    def http_factory(self, factory):
        """Make a factory of our kind in the place of Daphne's."""
        self._http_factory = Factory(self)

    @property
    def ws_factory(self):
        return self._ws_factory

    @ws_factory.setter
    def ws_factory(self, factory):
        """Take Daphne's factory as `run` makes it, and have it make sockets of our kind."""
        factory.protocol = WebSocket
        factory.setProtocolOptions(failByDrop=False, closeHandshakeTimeout=CLOSE_PATIENCE)
        self._ws_factory = factory

    def run(self):
        give_memory_back()
        leave_startup_alone()
        logger.info("Settings: %s%s", settings.SETTINGS_MODULE, ", DEBUG" if settings.DEBUG else "")
        if self.signal_handlers:
            # After Twisted has set its own, which know no SIGHUP.
            reactor.callWhenRunning(stop_on_signals, self.stop)
        super().run()
        if self.signal_handlers:
            ignore_signals()

    def stop(self):
        """Drain and end, however often it is asked for."""
        if not self.is_stopping:
            self.is_stopping = True
            super().stop()

    async def run_application(self, application, scope, receive, send):
        """Run the application of one connection, and leave nothing that it has left."""
        (protocol,) = send.args  # Daphne's `send` is a partial of its protocol
        if not is_below(self.root_path, scope["path"]):
            application = refuse_path
        if scope["type"] == "websocket":
            return await self.run_socket(protocol, application, scope, receive, send)
        extensions: dict[str, dict] = {"realtime.draining": {}} if self.is_draining else {}
        try:
            await application(scope | {"extensions": extensions}, receive, send)
        finally:
            self.bodies.release(protocol)

    async def run_socket(self, socket, application, scope, receive, send):
        ended_well = False
        try:
            await application(scope, partial(socket.take, receive), send)
            ended_well = True
        finally:
            socket.application_ended(ended_well)

    def protocol_disconnected(self, protocol):
        super().protocol_disconnected(protocol)
        if "application_instance" not in self.connections[protocol]:
            self.bodies.release(protocol)

    async def handle_reply(self, protocol, message):
        if message["type"] == "websocket.send":
            await protocol.writable()
        await super().handle_reply(protocol, message)

    def listen_success(self, port):
        self.ports.append(port)
        super().listen_success(port)
        notify(LISTENING)

    def kill_all_applications(self):
        """Called before the reactor stops, which waits for what is returned."""
        return defer.Deferred.fromFuture(asyncio.ensure_future(self.drain()))

    async def drain(self) -> None:
        """Close every socket with 1012, batch by batch, and let the applications end."""
        self.is_draining = True
        drain_began.send_robust(Server)
        notify(DRAINING)
        for port in self.ports:
            port.stopListening()
        sockets = [each for each in self.connections if isinstance(each, WebSocket)]
        batches = max(1, conf.DRAIN_SECONDS * BATCHES_A_SECOND)
        for batch in batched(sockets, math.ceil(len(sockets) / batches) or 1):
            for socket in batch:
                socket.restart()
            await asyncio.sleep(1 / BATCHES_A_SECOND)
        await self.applications_ended()

    async def applications_ended(self) -> None:
        """Wait until every application has ended.

        One that does not is cancelled.
        """
        every = [details.get("application_instance") for details in self.connections.values()]
        running = {task for task in every if task and not task.done()}
        if running:
            _, running = await asyncio.wait(running, timeout=END_PATIENCE)
        for task in running:
            task.cancel()
        if running:
            await asyncio.wait(running, timeout=END_PATIENCE)


def batched(sockets: list, size: int):
    return (sockets[start : start + size] for start in range(0, len(sockets), size))
