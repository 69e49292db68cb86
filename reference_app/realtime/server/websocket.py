"""A WebSocket of Daphne's that closes with a reason and bounds both of its queues."""

from collections import deque

from .back_pressure import BackPressure
from .inbound import Inbound

# RFC 6455, 7.4.1; 1012 is registered with IANA.
NORMAL, INTERNAL_ERROR, SERVICE_RESTART = 1000, 1011, 1012

# Bytes of a close reason: a control frame has 125 (RFC 6455, 5.5), the code takes two.
LONGEST_REASON = 123

# Messages of a client that may wait for the application; reading goes on when half of them are
# taken. They are few, because the server reads so many of each client in one turn, and all wait.
MOST_WAITING = 16

# Bytes of all clients' messages that may wait. Beyond it, one message of each client is read.
MOST_BYTES_WAITING = 8 * 2**20


class WebSocket(BackPressure, Inbound):
    """One socket, of which the client and the application can each be slow."""

    def __init__(self):
        super().__init__()
        # The bytes of each message that waits.
        self.waiting: deque[int] = deque()

    def onOpen(self):
        self.unregisterProducer()  # Twisted's HTTP channel, which upgraded the connection
        self.registerProducer(self, True)
        self.server.clients.move(self.transport, self.server.clients.open)
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
        """Send one message, unless a close has begun that the application does not know of yet."""
        if self.state == self.STATE_OPEN:
            payload = (text or "").encode() if data is None else data
            self.sendMessage(payload, isBinary=data is not None)

    def close(self, code: int, reason: str = "") -> None:
        """Close with any code and a reason, unless the socket closes already."""
        text = reason.encode()[:LONGEST_REASON].decode(errors="ignore").encode()
        self.sendCloseFrame(code=code, reasonUtf8=text)

    def restart(self) -> None:
        """Close with 1012.

        A handshake that is not finished is told when it is.
        """
        if self.state == self.STATE_OPEN:
            self.close(SERVICE_RESTART, "The server restarts.")

    def application_ended(self, well: bool) -> None:
        if self.state == self.STATE_OPEN:
            self.close(NORMAL if well else INTERNAL_ERROR)

    # Inwards

    def onMessage(self, payload, isBinary):
        super().onMessage(payload, isBinary)
        self.waiting.append(len(payload))
        self.server.bytes_waiting += len(payload)
        if self.is_full:
            self.pause()

    @property
    def is_full(self) -> bool:
        """Whether reading stops until the application takes a message."""
        if self.server.bytes_waiting > MOST_BYTES_WAITING:
            return len(self.waiting) > 0
        return len(self.waiting) >= MOST_WAITING

    async def take(self, receive) -> dict:
        """Return the next event for the application, and go on reading when few wait."""
        event = await receive()
        if event["type"] == "websocket.receive" and self.waiting:
            self.server.bytes_waiting -= self.waiting.popleft()
            if self.is_paused and not self.is_full and len(self.waiting) <= MOST_WAITING // 2:
                self.resume()
        return event

    def onClose(self, wasClean, code, reason):
        self.resumeProducing()
        self.server.bytes_waiting -= sum(self.waiting)
        self.waiting.clear()
        super().onClose(wasClean, code, reason)
