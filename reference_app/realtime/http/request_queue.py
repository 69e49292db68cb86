"""Middleware that lets so many requests be worked on at a time, on every server."""

from asyncio import Semaphore, timeout

from ..concurrency.event_loop import per_event_loop
from ..conf import conf
from ..deadlines import TURN_TIMEOUT
from ..protocol.refused_requests import BUSY


class RequestQueue:
    """Lets the application work on so many requests at a time, in the order in which they come.

    If it worked on a crowd of requests at once, each of them would take its part of every turn of
    the event loop, and a ping would wait for all. A request has had its turn when its response
    begins, so a long response keeps none waiting.
    """

    def __init__(self, application):
        self.application = application

    async def __call__(self, scope, receive, send):
        if scope["type"] != "http":
            return await self.application(scope, receive, send)
        try:
            async with timeout(TURN_TIMEOUT):
                await turns().acquire()
        except TimeoutError:
            return await BUSY.answer(send)
        turn = Turn()
        try:
            await self.application(scope, receive, turn.ended_by(send))
        finally:
            turn.end()


class Turn:
    """One request that is worked on."""

    def __init__(self) -> None:
        self.is_over = False

    def ended_by(self, send):
        """Return a `send` with which the turn ends when the response begins."""

        async def send_and_end(event):
            self.end()
            await send(event)

        return send_and_end

    def end(self) -> None:
        if not self.is_over:
            self.is_over = True
            turns().release()


@per_event_loop
def turns() -> Semaphore:
    """Return the turns of the running event loop."""
    return Semaphore(conf.REQUESTS_AT_ONCE)
