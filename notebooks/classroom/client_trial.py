"""Tries a client that a reader has written, on a server that interrupts and then refuses it."""

import asyncio
from collections.abc import AsyncIterator

from .people import token
from .servers import PATIENCE, serve


async def try_client(follow) -> list:
    """Let a client follow an organization's events; return what it told, and how it ended.

    Event One is sent. Then the server closes with 4104, and Two is sent before the client is back.
    When it has told Three, Alice leaves the organization. What takes longer than ten seconds is
    left out.
    """
    from config.asgi import application
    from demo.people import ORG_ID, settle

    url = f"ws://{serve(Interrupting(application)).address}/ws/events/{ORG_ID}/"
    told: asyncio.Queue = asyncio.Queue()
    client = asyncio.ensure_future(follow(url, token("alice"), told.put_nowait))
    heard: list = []
    async for frame in frames_of(client, told):
        if frame["type"] == "connection.established":
            await create("Three" if heard else "One")
        elif frame["type"] == "event":
            heard.append(frame["data"]["resource_name"])
            if heard[-1] == "Three":
                await leave()
    end = ending_of(client)
    client.cancel()
    await asyncio.to_thread(settle)  # Alice is a member again
    return [*heard, end]


async def frames_of(client: asyncio.Future, told: asyncio.Queue) -> AsyncIterator[dict]:
    """Yield what a client tells, until it ends, or tells nothing for ten seconds."""
    while True:
        coming = asyncio.ensure_future(told.get())
        await asyncio.wait({coming, client}, timeout=PATIENCE, return_when=asyncio.FIRST_COMPLETED)
        if not coming.done():
            coming.cancel()
            return
        yield coming.result()


def ending_of(client: asyncio.Future):
    """Return what a client returned, the name of what it raised, or that it goes on."""
    if not client.done():
        return "goes on"
    return type(client.exception()).__name__ if client.exception() else client.result()


class Interrupting:
    """Closes its first socket with 4104 after one event, and sends another before the next one."""

    def __init__(self, application):
        self.application, self.visits = application, 0

    async def __call__(self, scope, receive, send):
        self.visits += 1
        if self.visits == 2:
            await create("Two")
        await self.application(scope, receive, once(send) if self.visits == 1 else send)


def once(send):
    """Return a `send` that closes after the first event, and lets nothing follow."""
    closed = False

    async def send_until_event(message):
        nonlocal closed
        if not closed:
            await send(message)
            closed = '"type": "event"' in (message.get("text") or "")
            if closed:
                await send({"type": "websocket.close", "code": 4104})

    return send_until_event


async def create(name: str) -> None:
    """Create a resource, of which a signal tells the organization."""
    from api.models import SampleResource
    from demo.people import ORG_ID

    await SampleResource.objects.acreate(org_id=ORG_ID, name=name)


async def leave() -> None:
    """End Alice's membership, of which a signal tells her sockets."""
    from api.models import Membership

    await Membership.objects.filter(user__email="alice@example.com").adelete()
