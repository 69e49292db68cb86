"""A bare ASGI application, which shows what a server costs by itself.

It greets whoever comes, and sends what one says to all, as an event of an organization goes to all.
Its cost is no lower bound: on Daphne a delivery of the reference was measured to cost less.
"""

GREETING = {"type": "websocket.send", "text": '{"type": "connection.established"}'}

everybody = set()


async def application(scope, receive, send):
    if scope["type"] != "websocket":
        return
    await receive()
    await send({"type": "websocket.accept"})
    await send(GREETING)
    everybody.add(send)
    try:
        while (event := await receive())["type"] == "websocket.receive":
            for each in [*everybody]:
                await each({"type": "websocket.send", "text": event["text"]})
    finally:
        everybody.discard(send)
