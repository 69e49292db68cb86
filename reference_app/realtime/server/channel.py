"""A connection that speaks HTTP, and the requests on it, which have to arrive in time."""

import asyncio
from io import BytesIO
from typing import Any

from daphne.http_protocol import HTTPFactory, WebRequest
from twisted.internet.protocol import connectionDone
from twisted.web.http import HTTPChannel

from ..conf import conf
from ..protocol.refused_requests import BUSY, RefusedRequest, too_large

# Seconds for a client to read why its request is refused. If a server hung up at once, the client's
# system could throw the answer away, because the client still sends (RFC 9112, 9.6).
LINGER = 2

# Seconds in which nothing is read of a client whose request is refused, when too many send on.
PAUSE = 0.1


class Request(WebRequest):
    """One request, of which Daphne would hold any number of bytes."""

    size, is_unfinished = 0, True

    def gotLength(self, length):
        # Twisted would open a file for more than 100 KB.
        self.content = BytesIO()

    def handleContentChunk(self, data):
        if self.channel.is_refused:
            return
        self.size += len(data)
        if self.size > conf.MAX_BODY_BYTES:
            self.channel.refuse(too_large())
        elif self.server.bodies.take(self, len(data)):
            super().handleContentChunk(data)

    def give_way(self):
        self.channel.refuse(BUSY)

    def process(self):
        self.is_unfinished = False
        # Daphne would believe any client where the application is mounted.
        self.requestHeaders.removeHeader(b"Daphne-Root-Path")
        super().process()
        self.content = BytesIO()  # the application has the body now


class Channel(HTTPChannel):
    """One connection, until it ends or becomes a WebSocket."""

    is_refused = False

    @property
    def connections(self):
        return self.factory.server.clients

    def connectionMade(self):
        super().connectionMade()
        self.connections.enter(self.transport)

    def dataReceived(self, data):
        if not self.is_refused:
            super().dataReceived(data)
        elif not self.factory.server.discards.take():
            # Five hundred clients that go on sending would keep the server busy with reading.
            transport: Any = self.transport
            transport.pauseProducing()
            asyncio.get_running_loop().call_later(PAUSE, transport.resumeProducing)

    def resetTimeout(self):
        """Give a client no more time, however often it sends a byte."""

    def allHeadersReceived(self):
        self.setTimeout(conf.BODY_SECONDS)
        if self.length and self.length > conf.MAX_BODY_BYTES:
            return self.refuse(too_large())
        super().allHeadersReceived()

    def allContentReceived(self):
        if not self.is_refused:
            # Twisted stops this time, and lets it run again after the answer.
            self.setTimeout(conf.HEAD_SECONDS)
            self.connections.move(self.transport, self.connections.working)
            super().allContentReceived()

    def requestDone(self, request):
        # Also where the connection closes now, since the client may not read the answer.
        self.setTimeout(conf.HEAD_SECONDS)
        self.connections.move(self.transport, self.connections.waiting)
        super().requestDone(request)

    def refuse(self, refused: RefusedRequest) -> None:
        """Answer before the request has arrived, and throw away what still comes."""
        self.is_refused = True
        request = self.requests[-1]
        request.content = None
        request.server.bodies.release(request)
        head = [b"HTTP/1.1 %d %s" % (refused.status, refused.status.phrase.encode())]
        head += [b"%s: %s" % header for header in refused.headers]
        self.write(b"\r\n".join([*head, b"", refused.body]))
        self.setTimeout(LINGER)

    def connectionLost(self, reason=connectionDone):
        self.connections.leave(self.transport)
        super().connectionLost(reason)


class Factory(HTTPFactory):
    """Daphne's factory with connections of our kind.

    They speak no HTTP/2, of which one connection has many requests: these limits do not know it.
    """

    protocol = Channel

    def __init__(self, server):
        super().__init__(server)
        self.timeOut = conf.HEAD_SECONDS

    def buildProtocol(self, addr):
        channel = super().buildProtocol(addr)
        channel.requestFactory = Request
        return channel

    def acceptableProtocols(self):
        return [b"http/1.1"]
