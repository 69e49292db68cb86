"""Where servers differ, for the table in README.md: each case in words, and how to see it."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import NamedTuple

from websockets.exceptions import ConnectionClosed
from websockets.protocol import State

from tests.wire.client_view import ending, handshake, opened, received, witness
from tests.wire.raw import frame
from tests.wire.servers import PATIENCE, ServerProcess
from tests.wire.variants.server_cases import FRAME, LONG_REASON, MUCH, REASON

# Seconds in which Daphne looks twice for ended applications, every second, and for timeouts.
LOOKS = 4

MIB = 2**20


class Case(NamedTuple):
    see: Callable[[ServerProcess], Awaitable[str]]
    # Whether it takes seconds, of which others may make use.
    waits: bool = False
    ends_the_server: bool = False


CASES: dict[str, Case] = {}


def case(words: str, **kind: bool):
    """Enter a coroutine that brings a case about, and says in a few words what the server does."""

    def enter(see):
        CASES[words] = Case(see, **kind)
        return see

    return enter


@case("the server is stopped (SIGTERM)", ends_the_server=True)
async def stopped(server):
    async with opened(server, "/waits/") as socket:
        server.process.terminate()
        code = await ending(socket)
    await asyncio.to_thread(server.process.wait, PATIENCE)
    await asyncio.to_thread(server.reading.join, PATIENCE)
    is_told = any("websocket.disconnect" in line for line in server.log)
    reason = f" “{socket.close_reason}”" if socket.close_reason else ""
    return f"{code}{reason}; the application is {'' if is_told else 'not '}told"


@case("the application closes with a code and a reason")
async def closes(server):
    async with opened(server, "/closes/") as socket:
        return await ending(socket, REASON)


@case("… and the reason has more than 123 bytes")
async def closes_with_a_long_reason(server):
    async with opened(server, "/closes-at-length/") as socket:
        return await ending(socket, LONG_REASON)


@case("… and the code is 1012")
async def closes_with_1012(server):
    async with opened(server, "/closes-with-1012/") as socket:
        return await ending(socket, REASON)


@case("the application raises")
async def raises(server):
    async with opened(server, "/raises/") as socket:
        return await ending(socket)


@case("the application returns without closing", waits=True)
async def returns(server):
    async with opened(server, "/returns/") as socket:
        try:
            await asyncio.wait_for(socket.wait_closed(), LOOKS)
        except TimeoutError:
            await asyncio.wait_for(await socket.ping(), PATIENCE)
            return "the socket stays, and answers pings"
        return str(socket.close_code)


@case("the application takes 6 s to accept", waits=True)
async def accepts_late(server):
    return await handshake(server, "/accepts-late/")


@case("the application refuses with HTTP 401")
async def refuses_with_401(server):
    return await handshake(server, "/refuses-with-401/")


@case("the application accepts with a header")
async def accepts_with_a_header(server):
    async with opened(server, "/accepts-with-a-header/") as socket:
        return "sent" if "x-note" in socket.response.headers else "lost"


@case("the application sends an empty message")
async def sends_an_empty_message(server):
    async with opened(server, "/sends-an-empty-message/") as socket:
        return "sent" if await received(socket) == "" else "lost"


@case("the application sends to a client that has left")
async def sends_to_nobody(server):
    async with opened(server, "/sends-to-nobody/") as socket:
        await socket.close()
    async with witness(server) as applications:
        return f"`send()` {await applications.tells_at_last('sent to nobody')}"


@case("a client reads nothing of 64 MiB")
async def reads_nothing(server):
    async with opened(server, "/sends-much/") as socket, witness(server) as applications:
        socket.transport.pause_reading()
        await socket.send("Go on.")
        is_held = await applications.reaches(MUCH, lambda: applications.tells("sent"))
        socket.transport.resume_reading()
        assert sum([len(await received(socket)) for _ in range(MUCH // len(FRAME))]) == MUCH
    return "all is held in memory" if is_held else "`send()` waits"


@case("the application receives nothing of 64 MiB")
async def receives_nothing(server):
    async with opened(server, "/receives-nothing/") as socket, witness(server) as applications:
        flood = frame(0x81, FRAME.encode()) * (MUCH // len(FRAME))
        socket.transport.write(flood)

        async def taken():
            return len(flood) - socket.transport.get_write_buffer_size()

        is_held = await applications.reaches(len(flood), taken)
        assert socket.state is State.OPEN
    return "all is held in memory" if is_held else "the server stops reading"


@case("a client is cut off: the code that the application gets")
async def cut_off(server):
    async with opened(server, "/notes-the-code/"):
        pass
    async with witness(server) as applications:
        return str(await applications.tells_at_last("code"))


async def ending_after(server: ServerProcess, sent: bytes) -> str:
    async with opened(server, "/measures/") as socket:
        socket.transport.write(sent)
        return await ending(socket)


@case("a frame has a reserved bit")
async def reserved_bit(server):
    return await ending_after(server, frame(0xC1, b"x"))


@case("a text is not UTF-8")
async def not_utf8(server):
    return await ending_after(server, frame(0x81, b"\xff\xfe"))


@case("a message has more than 1 MiB")
async def more_than_1_mib(server):
    async with opened(server, "/measures/") as socket:
        socket.transport.write(frame(0x81, b"x" * (MIB + 1)))
        try:
            assert await received(socket) == str(MIB + 1)
        except ConnectionClosed:
            return str(socket.close_code)
        return "taken"


@case("a message has more than 16 MiB")
async def more_than_16_mib(server):
    return await ending_after(server, frame(0x81, b"", length=16 * MIB + 1))


@case("a client sends a header `Daphne-Root-Path`")
async def sends_a_root_path(server):
    headers = {"Daphne-Root-Path": "/elsewhere"}
    async with opened(server, "/tells-root-path/", additional_headers=headers) as socket:
        return "taken for the `root_path`" if await received(socket) == "/elsewhere" else "ignored"


@case("a token is in the URL")
async def token_in_the_url(server):
    async with opened(server, "/has-a-token/?token=eyJhb"):
        await server.logs("/has-a-token/")
    return "logged" if any("eyJhb" in line for line in server.log) else "not logged"
