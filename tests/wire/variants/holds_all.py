"""Takes no message of a socket, and tells by HTTP what the garbage collector passes over."""

import asyncio
import gc


async def application(scope, receive, send):
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
        await asyncio.Event().wait()
    start = {"type": "http.response.start", "status": 200, "headers": []}
    await send(start)
    await send({"type": "http.response.body", "body": b"%d" % gc.get_freeze_count()})
