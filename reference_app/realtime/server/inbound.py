"""What a client sends on a WebSocket, which has to be finished in time, and be little."""

import asyncio

from daphne.ws_protocol import WebSocketProtocol

from ..conf import conf
from ..protocol.close_codes import CloseCode
from ..protocol.limits import Allowance

# Pings and pongs at once.
PING_BURST = 20

# Frames of one message. A client that splits a message needs a few.
MOST_FRAMES = 256

# Bytes that Python needs for a piece of a message, beside the piece.
OVERHEAD = 64


class Inbound(WebSocketProtocol):
    """A socket that reads no more of a client that goes beyond a limit."""

    is_unfinished, is_given_up, is_paused = True, False, False
    has_handshake = False
    deadline: asyncio.TimerHandle | None = None
    frames = 0

    def onConnect(self, request):
        self.has_handshake = True
        self.pings = Allowance(conf.PINGS_PER_MINUTE, PING_BURST)
        return super().onConnect(request)

    def onOpen(self):
        self.transport.resumeProducing()
        super().onOpen()

    def dataReceived(self, data):
        if self.state == self.STATE_CONNECTING and self.has_handshake:
            # Autobahn would take it for a second handshake.
            self.data += data
            return self.transport.pauseProducing()
        super().dataReceived(data)
        self.watch()

    def processData(self):
        if self.is_given_up:
            self.data = b""
        return not self.is_given_up and not self.is_paused and super().processData()

    def pause(self) -> None:
        """Read nothing for now, and leave what has been read where it is."""
        self.is_paused = True
        self.transport.pauseProducing()

    def resume(self) -> None:
        self.is_paused = False
        self.transport.resumeProducing()
        self.consumeData()
        self.watch()

    # A message

    def onMessageBegin(self, isBinary):
        self.frames = 0
        super().onMessageBegin(isBinary)

    def onMessageFrameBegin(self, length):
        super().onMessageFrameBegin(length)
        self.frames += 1
        if self.frames > MOST_FRAMES:
            self.give_up(CloseCode.RATE_LIMITED, "Your message has too many parts.")

    def onMessageFrameData(self, payload):
        super().onMessageFrameData(payload)
        if not self.failedByMe:
            self.server.unfinished.take(self, len(payload) + OVERHEAD)

    def onMessage(self, payload, isBinary):
        self.server.unfinished.release(self)
        self.cancel_deadline()
        super().onMessage(payload, isBinary)

    def give_way(self) -> None:
        self.give_up(CloseCode.TOO_SLOW, "The server holds too many unfinished messages.")

    def watch(self) -> None:
        """Let the time run while a message is unfinished and the server reads."""
        if self.state != self.STATE_OPEN or self.is_paused or not self.has_begun():
            self.cancel_deadline()
        elif not self.deadline:
            loop = asyncio.get_running_loop()
            self.deadline = loop.call_later(conf.MESSAGE_SECONDS, self.run_out_of_time)

    def has_begun(self) -> bool:
        return bool(self.inside_message or self.current_frame is not None or self.data)

    def run_out_of_time(self) -> None:
        self.give_up(CloseCode.TOO_SLOW, "Your message was not finished in time.")

    def cancel_deadline(self) -> None:
        if self.deadline:
            self.deadline.cancel()
        self.deadline = None

    # Pings

    def onPing(self, payload):
        if self.may_ping():
            super().onPing(payload)

    def onPong(self, payload):
        self.may_ping()

    def may_ping(self) -> bool:
        if not self.inside_message:
            self.cancel_deadline()
        if self.pings.take():
            return True
        self.give_up(CloseCode.RATE_LIMITED, "You send too many pings.")
        return False

    # The end

    def give_up(self, code: CloseCode, reason: str) -> None:
        """Close, and read nothing more.

        A client that floods the server could send as much until it has answered the close.
        """
        self.sendCloseFrame(code.value, reason.encode())
        # What Autobahn has of the message is dropped, and it adds nothing.
        self.is_given_up = self.failedByMe = True
        self.message_data = self.frame_data = None
        self.transport.pauseProducing()
        self.release()

    def release(self) -> None:
        self.server.unfinished.release(self)
        self.cancel_deadline()

    def sendCloseFrame(self, *arguments, **options):
        super().sendCloseFrame(*arguments, **options)
        self.server.clients.move(self.transport, self.server.clients.closing)

    def onClose(self, wasClean, code, reason):
        self.release()
        super().onClose(wasClean, code, reason)

    def connectionLost(self, reason):
        self.factory.server_class.clients.leave(self.transport)
        super().connectionLost(reason)
