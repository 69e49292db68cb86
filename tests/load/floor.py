"""The bare ASGI floor: what a server costs with hardly an application behind it.

It greets whoever comes, and sends what one says to all, as an event of an organisation goes to all.
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
