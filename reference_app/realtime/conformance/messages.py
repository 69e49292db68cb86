"""What a client is sent first, and how its messages are answered."""

from datetime import datetime
from typing import Any

from ..protocol.frames import Frame
from .client import ANSWERS, GREETING, Client, came
from .deployment import Deployment
from .registry import check
from .results import FailedError

BY_CONSUMER = "let RealtimeConsumer read the messages of clients"
UNKNOWN = "conformance.unknown"


@check("subclass RealtimeConsumer, and send nothing before its greeting")
async def greeting(deployment: Deployment) -> None:
    """The greeting comes first, once, and with all of its keys."""
    expected = f"{GREETING} with its keys, first and once"
    async with deployment.opened() as client:
        frame = await client.frame(expected)
        if not is_greeting(frame):
            raise FailedError(expected, came(frame))
        await client.send({"type": "ping", "timestamp": None})
        frame = await client.frame_of(frozenset({GREETING, "pong"}), expected)
        if frame["type"] == GREETING:
            raise FailedError(expected, "a second one came")


def is_greeting(frame: Frame) -> bool:
    kinds: dict[str, type] = {
        "message": str,
        "user_id": str,
        "expires_at": str,
        "offset": int,
        "position": str,
    }
    has_kinds = all(type(frame.get(key)) is kind for key, kind in kinds.items())
    is_new = "recovered" in frame and frame["recovered"] is None
    return frame.get("type") == GREETING and has_kinds and is_new and is_time(frame["expires_at"])


def is_time(text: str) -> bool:
    try:
        return datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False


@check(BY_CONSUMER)
async def ping(deployment: Deployment) -> None:
    """A ping is answered with its timestamp."""
    async with deployment.greeted() as client:
        for timestamp in ("2025-01-15T10:30:00Z", 1736937000.25, None):
            await client.send({"type": "ping", "timestamp": timestamp})
            await client.gets(type="pong", timestamp=timestamp)


async def are_errors(deployment: Deployment, code: str, *messages: Any) -> None:
    """See that each message gets an `error` frame, and that the socket stays open."""
    async with deployment.greeted() as client:
        for message in messages:
            await client.send(message)
            await gets_error(client, code)
            await client.gets_a_pong()


async def gets_error(client: Client, code: str) -> None:
    error = await client.gets(type="error", code=code)
    if not error.get("message") or not isinstance(error["message"], str):
        raise FailedError("an error with a message", came(error))


@check(BY_CONSUMER)
async def unknown_type(deployment: Deployment) -> None:
    """A message of an unknown type is an error, and the socket stays open."""
    await are_errors(deployment, "unknown_type", {"type": UNKNOWN})


@check(BY_CONSUMER)
async def no_json(deployment: Deployment) -> None:
    """A message that is no JSON object is an error, and the socket stays open."""
    nan = '{"type": "ping", "timestamp": NaN}'
    await are_errors(deployment, "malformed", "{", "[]", nan)


@check(BY_CONSUMER)
async def binary(deployment: Deployment) -> None:
    """A binary message is an error, and the socket stays open."""
    await are_errors(deployment, "malformed", b"\x00\x01")


@check(BY_CONSUMER + ", and let proxy and server take messages of 1 MiB")
async def too_large(deployment: Deployment) -> None:
    """A message of 1,000,000 bytes is an error, and the socket stays open."""
    message = {"type": "ping", "timestamp": "x" * 1_000_000}
    await are_errors(deployment, "too_large", message)


@check(BY_CONSUMER)
async def too_deep(deployment: Deployment) -> None:
    """A message of 10,000 lists in each other is an error, and the socket stays open."""
    deep = "[" * 10_000 + "]" * 10_000
    message = '{"type": "ping", "timestamp": null, "deep": %s}' % deep  # noqa: UP031
    await are_errors(deployment, "malformed", message)


@check(BY_CONSUMER)
async def new_token(deployment: Deployment) -> None:
    """A new token of the same user is taken."""
    async with deployment.greeted() as client:
        await client.send({"type": "token.refresh", "token": deployment.options.token})
        refreshed = await client.gets(type="token.refreshed")
        if not is_time(str(refreshed.get("expires_at"))):
            raise FailedError("a time as expires_at", came(refreshed))


@check(BY_CONSUMER)
async def token_of_another_user(deployment: Deployment) -> None:
    """A new token of another user is refused, and the socket stays open."""
    message = {"type": "token.refresh", "token": deployment.options.other_token}
    await are_errors(deployment, "token_refused", message)


@check(BY_CONSUMER)
async def read_mark(deployment: Deployment) -> None:
    """A client that asks how far its user has read is told an offset."""
    answers = ANSWERS | {"notifications.read"}
    async with deployment.greeted() as client:
        await client.send({"type": "notifications.read", "offset": 0})
        frame = await client.frame_of(answers, "a notifications.read")
        if any(type(frame.get(key)) is not int for key in ("offset", "unread")):
            raise FailedError("a notifications.read with offset and unread", came(frame))
