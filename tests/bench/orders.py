"""What a child of the bench is told, and what it answers: a line of JSON each."""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable

from tests.laboratory.child import Child

Handler = Callable[..., Awaitable[dict]]


async def ask(child: Child, order: str, **details) -> dict:
    """Tell a child to do something, and return its answer."""
    child.tell(json.dumps({"order": order, **details}))
    return json.loads(await child.word())


def obey(handlers: dict[str, Handler]) -> None:
    """Do what is told on stdin, one after the other, until it is closed."""
    asyncio.run(_obey(handlers))


async def _obey(handlers: dict[str, Handler]) -> None:
    reader = asyncio.StreamReader(limit=2**24)
    pipe = asyncio.StreamReaderProtocol(reader)
    await asyncio.get_running_loop().connect_read_pipe(lambda: pipe, sys.stdin)
    while line := await reader.readline():
        details = json.loads(line)
        answer = await handlers[details.pop("order")](**details)
        print(json.dumps(answer), flush=True)
