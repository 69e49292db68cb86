"""What a client is told that asks for too much."""

from contextlib import AsyncExitStack

from ..protocol.close_codes import CloseCode
from ..protocol.frames import Frame
from .client import ANSWERS, CLOSING, Client, came
from .deployment import Deployment
from .registry import check
from .results import FailedError, NotCheckedError

# More than a deployment should answer. Of bad messages, a default one answers 10, and of others 20.
BAD, MANY, AT_ONCE = 50, 300, 10

PING = {"type": "ping", "timestamp": None}


@check("subclass RealtimeConsumer, and keep REALTIME_MAX_ERRORS below REALTIME_MESSAGE_BURST")
async def errors_in_a_row(deployment: Deployment) -> None:
    """Bad messages in a row end in 4509."""
    expected = f"an error for each message, and 4509 within {BAD} of them"
    async with deployment.greeted() as client:
        for _ in range(BAD):
            await client.send("{")
            answer = await client.frame_of(ANSWERS, expected)
            if answer["type"] == CLOSING:
                return await client.is_ended_by(answer, CloseCode.TOO_MANY_ERRORS)
    raise FailedError(expected, "the socket stayed open")


@check("subclass RealtimeConsumer, and keep REALTIME_MESSAGE_BURST")
async def messages_at_once(deployment: Deployment) -> None:
    """Too many messages end in 4113, with the time to wait."""
    async with deployment.greeted() as client:
        closing = await flooded(client)
        if not closing.get("retry_after_ms"):
            raise FailedError("a time to wait as retry_after_ms", came(closing))
        await client.is_ended_by(closing, CloseCode.RATE_LIMITED)


async def flooded(client: Client) -> Frame:
    """Send messages until the socket is closed, and return its last frame."""
    expected = f"{CLOSING} with the code 4113 within {MANY} messages"
    for _ in range(MANY // AT_ONCE):
        await client.send(*[PING] * AT_ONCE)
        for _ in range(AT_ONCE):
            answer = await client.frame_of(ANSWERS, expected)
            if answer["type"] == CLOSING:
                return answer
    raise FailedError(expected, "all were answered")


@check("subclass RealtimeConsumer, or name more sockets in --sockets where processes are many")
async def sockets_of_a_user(deployment: Deployment) -> None:
    """More sockets than one user may hold end in 4504."""
    most = deployment.options.sockets
    if not most:
        raise NotCheckedError("It takes places of a real user: give their number in --sockets.")
    async with AsyncExitStack() as stack:
        for _ in range(most):
            client = await stack.enter_async_context(deployment.opened())
            frame = await client.frame("a greeting, or 4504")
            if frame.get("type") == CLOSING:
                return await client.is_ended_by(frame, CloseCode.TOO_MANY_CONNECTIONS)
    raise FailedError(f"4504 to one of {most} sockets", "all were let in")
