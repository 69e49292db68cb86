"""Middleware that bounds the bodies of requests, on every server."""

from asyncio import timeout
from collections import deque

from ..conf import conf
from ..protocol.refused_requests import BUSY, RefusedRequest, too_large, too_slow
from ..sockets.carriers import header_values


class BodyLimit:
    """Refuses a request with a body that is too long, or too long on its way.

    It reads the body before the application does, and Django does so too before it calls a view.
    """

    def __init__(self, application):
        self.application = application
        self.held = 0

    async def __call__(self, scope, receive, send):
        if scope["type"] != "http":
            return await self.application(scope, receive, send)
        body = Body(receive)
        try:
            if refused := await self.read(body, announced_length(scope)):
                return await refused.answer(send)
            await self.application(scope, body.replay, send)
        finally:
            self.held -= body.size

    async def read(self, body: "Body", announced: int) -> RefusedRequest | None:
        """Read a whole body, and return why it is refused, or None."""
        try:
            async with timeout(conf.BODY_SECONDS):
                while not body.is_whole:
                    if max(announced, body.size) > conf.MAX_BODY_BYTES:
                        return too_large()
                    if self.held > conf.MAX_BODIES_BYTES:
                        return BUSY
                    size = await body.read_more()
                    self.held += size
        except TimeoutError:
            return too_slow()
        return too_large() if body.size > conf.MAX_BODY_BYTES else None


class Body:
    """The messages of a request's body, which are read and then replayed."""

    def __init__(self, receive):
        self.receive = receive
        self.messages: deque[dict] = deque()
        self.size, self.is_whole = 0, False

    async def read_more(self) -> int:
        """Read one message, and return how many bytes it has."""
        message = await self.receive()
        self.messages.append(message)
        # The message of a client that has left has neither.
        self.is_whole = not message.get("more_body", False)
        length = len(message.get("body", b""))
        self.size += length
        return length

    async def replay(self) -> dict:
        return self.messages.popleft() if self.messages else await self.receive()


def announced_length(scope) -> int:
    lengths = [*header_values(scope, b"content-length"), "0"]
    return int(lengths[0]) if lengths[0].isdecimal() else 0
