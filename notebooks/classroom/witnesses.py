"""What a client sees of each way to refuse it, in a few words; so does a test without a server.

The Chromium columns of the table come from `tests/browser/test_truth_table.py`.
"""

import asyncio
import json
from contextlib import suppress
from reprlib import repr as short
from urllib.parse import quote

from channels.testing import WebsocketCommunicator
from websockets.exceptions import ConnectionClosed, InvalidStatus

from .refusals import SUBPROTOCOLS, WAYS, application

# Seconds after which a silent socket counts as open: Daphne looks for failed ones once a second.
OPEN_AFTER = 3


def told(frames, code, reason):
    """Return which frames came, and which close; 1006 stands for none, which has no reason."""
    close = "open" if code is None else "1006" if code == 1006 else f"{code} {short(reason or '')}"
    return ", ".join([*(json.loads(frame)["type"] for frame in frames), close])


async def client_sees(server, way):
    """Return what a plain client sees, which says one word if it is let in."""
    options = {"name": way, "subprotocols": SUBPROTOCOLS.get(way)}
    try:
        client = await server.connect(quote(f"/{way}"), **options)
    except InvalidStatus as refusal:
        return f"HTTP {refusal.response.status_code}"
    with suppress(ConnectionClosed):
        await client.send("hello")
    frames = []
    with suppress(ConnectionClosed, TimeoutError):
        async with asyncio.timeout(OPEN_AFTER):
            while True:
                frames.append(await client.socket.recv())
    seen = told(frames, client.socket.close_code, client.socket.close_reason)
    await client.leave()
    return seen


async def communicator_sees(way):
    """Return what a test sees without any server: what the application sent, or raised."""
    options = {"subprotocols": SUBPROTOCOLS.get(way)}
    client = WebsocketCommunicator(application, quote(f"/{way}"), **options)
    try:
        accepted, code = await client.connect(OPEN_AFTER)
        if not accepted:
            return f"refused, {code}"
        await client.send_to("hello")
        frames = []
        while (event := await client.receive_output(OPEN_AFTER))["type"] != "websocket.close":
            frames.append(event["text"])
        return told(frames, event["code"], event["reason"])
    except TimeoutError:
        return "open"
    except Exception as error:
        return type(error).__name__
    finally:
        client.stop(exceptions=False)


async def seen_of_every_way(sees, *args):
    """Look at all ways at once."""
    seen = await asyncio.gather(*(sees(*args, way) for way in WAYS))
    return dict(zip(WAYS, seen, strict=True))
