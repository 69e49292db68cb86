"""A client that pings a server for ever, and prints how long each answer takes.

python -m tests.wire.pinging ws://127.0.0.1:8000/ws/notifications/ <token>
"""

import asyncio
import contextlib
import itertools
import json
import sys
import time
from collections.abc import AsyncIterator

from websockets.asyncio.client import ClientConnection, connect

# Seconds between two pings. The sockets take turns, so that each of them keeps the limit of
# messages.
INTERVAL, SOCKETS = 0.05, 12


async def ping_for_ever(url: str, bearer: str) -> None:
    """Print the round trip of each ping, which the application has to answer."""
    async with contextlib.AsyncExitStack() as stack:
        sockets = [await stack.enter_async_context(opened(url, bearer)) for _ in range(SOCKETS)]
        for socket in itertools.cycle(sockets):
            begin = time.monotonic()
            await socket.send('{"type": "ping"}')
            assert json.loads(await socket.recv())["type"] == "pong"
            print(time.monotonic() - begin, flush=True)
            await asyncio.sleep(INTERVAL)


@contextlib.asynccontextmanager
async def opened(url: str, bearer: str) -> AsyncIterator[ClientConnection]:
    headers = {"Authorization": f"Bearer {bearer}"}
    async with connect(url, additional_headers=headers, proxy=None, ping_interval=None) as socket:
        assert json.loads(await socket.recv())["type"] == "connection.established"
        yield socket


if __name__ == "__main__":
    asyncio.run(ping_for_ever(*sys.argv[1:]))
