"""Who may listen to a stream, what arrives from it, and where a client resumes."""

import asyncio
import json
from asyncio.subprocess import DEVNULL
from collections.abc import Sequence
from contextlib import suppress

from ..protocol.close_codes import CloseCode
from ..protocol.frames import Frame
from .client import Client
from .deployment import Deployment
from .registry import check
from .results import FailedError, NotCheckedError

BY_SENDERS = "send by realtime.senders.broadcast to the topic of the consumer at this address"
BY_ROWS = "subclass RealtimeConsumer, which resumes from the rows"

# Seconds for the command that sends.
SENDING = 30


@check("subclass RealtimeConsumer, whose topic says who may listen")
async def stranger(deployment: Deployment) -> None:
    """A user who may not listen reads 4003 and why."""
    options = deployment.options
    if not options.forbidden_path:
        raise NotCheckedError("Name a path in --forbidden-path.")
    address = options.url._replace(path=options.forbidden_path)
    tokens = deployment.carrying(options.other_token)
    async with deployment.opened(address=address, tokens=tokens) as client:
        await client.is_closed_with(CloseCode.FORBIDDEN)


@check(BY_ROWS)
async def known_position(deployment: Deployment) -> None:
    """A client that comes back with its position is told recovered: true."""
    async with deployment.greeted() as client:
        position = position_in(client.greeting)
    await resumes(deployment, position, recovered=True)


@check(BY_ROWS)
async def unknown_position(deployment: Deployment) -> None:
    """A client that comes with a position of its own making is told recovered: false."""
    await resumes(deployment, "1.conformance", recovered=False)


async def resumes(deployment: Deployment, position: str, recovered: bool) -> None:
    async with deployment.greeted(query={"position": position}) as client:
        found = client.greeting.get("recovered")
        if found is not recovered:
            wanted, came = json.dumps(recovered), json.dumps(found)
            raise FailedError(f"recovered: {wanted}", f"recovered: {came} came")


@check(BY_SENDERS)
async def delivered(deployment: Deployment) -> None:
    """Two frames reach both sockets of a user, in order and with their places."""
    command = command_of(deployment)
    async with deployment.greeted() as one, deployment.greeted() as other:
        for _ in range(2):
            await run(command)
        first, second = [
            {frame["offset"]: frame for frame in await placed(client, count=2)}
            for client in (one, other)
        ]
    # Where others send at the same time, the second socket may begin later.
    if any(first[offset] != second[offset] for offset in first.keys() & second.keys()):
        raise FailedError("the same frames at both sockets", "they differ")


@check(BY_SENDERS)
async def replayed(deployment: Deployment) -> None:
    """A frame that was sent while a client was away reaches it when it resumes."""
    command = command_of(deployment)
    async with deployment.greeted() as client:
        position = position_in(client.greeting)
    await run(command)
    async with deployment.greeted(query={"position": position}) as client:
        await placed(client, count=1)


@check(BY_ROWS)
async def history(deployment: Deployment) -> None:
    """A client that asks for the last entry by ?since=1 is sent it."""
    await run(command_of(deployment))
    async with deployment.greeted(query={"since": "1"}) as client:
        await placed(client, count=1)


def command_of(deployment: Deployment) -> Sequence[str]:
    if not deployment.options.send_command:
        raise NotCheckedError("Give a command that sends a frame in --send-command.")
    return deployment.options.send_command


async def run(command: Sequence[str]) -> None:
    """Run the operator's command, without a shell, and show nothing of what it prints."""
    process = await asyncio.create_subprocess_exec(
        *command, stdin=DEVNULL, stdout=DEVNULL, stderr=DEVNULL
    )
    try:
        async with asyncio.timeout(SENDING):
            code = await process.wait()
    except TimeoutError:
        raise FailedError("--send-command to end", f"it ran for {SENDING} s") from None
    finally:
        with suppress(ProcessLookupError):
            process.kill()
    if code:
        raise FailedError("--send-command to succeed", f"it ended with {code}")


# What may come between the frames of a stream.
OTHERS = ("token.expiring", "notifications.read")


async def placed(client: Client, count: int) -> list[Frame]:
    """Return the frames after the greeting. Their offsets have to follow one another."""
    before, frames = offset_in(client.greeting), list[Frame]()
    while len(frames) < count:
        offset = before + len(frames) + 1
        expected = f"a frame with a position and the offset {offset}"
        frame = await client.frame(expected)
        if "position" not in frame and frame.get("type") in OTHERS:
            continue
        if offset_in(frame) != offset or not position_in(frame):
            raise FailedError(expected, f"the offset {frame['offset']} came")
        frames.append(frame)
    return frames


def offset_in(frame: Frame) -> int:
    if type(frame.get("offset")) is not int:
        raise FailedError("an offset", f"a frame of the type {frame.get('type')} came without one")
    offset: int = frame["offset"]
    return offset


def position_in(frame: Frame) -> str:
    if not isinstance(frame.get("position"), str):
        raise FailedError("a position", f"a frame of the type {frame.get('type')} came without one")
    position: str = frame["position"]
    return position
