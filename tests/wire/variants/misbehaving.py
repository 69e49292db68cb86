"""Applications that do what one should not, by path; for the tests of servers."""

import asyncio

from django.conf import settings

settings.configure(REALTIME_DRAIN_SECONDS=1)

# A frame of 64 KiB.
FRAME = {"type": "websocket.send", "text": "x" * 65_536}


async def application(scope, receive, send):
    if scope["type"] == "http":
        return await answer_late(send)
    await receive()
    await send({"type": "websocket.accept"})
    await APPLICATIONS[scope["path"]](receive, send)


async def answer_late(send):
    """Answer when the server is being stopped already."""
    print("asked", flush=True)
    await asyncio.sleep(1)
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"late"})


async def return_at_once(receive, send):
    pass


async def fail(receive, send):
    raise RuntimeError("a bug")


async def close_with_1012_and_a_reason(receive, send):
    await send({"type": "websocket.close", "code": 1012, "reason": "Back soon: " + "ü" * 100})


async def never_receive(receive, send):
    await asyncio.Event().wait()


async def send_for_ever(receive, send):
    while True:
        await send(FRAME)
        await asyncio.sleep(0)


async def send_until_the_end(receive, send):
    end = asyncio.ensure_future(receive())
    while not end.done():
        await send({"type": "websocket.send", "text": "Are you still there?"})
        await asyncio.sleep(0)
    print("sent until the end", flush=True)


async def echo(receive, send):
    while (event := await receive())["type"] == "websocket.receive":
        await send(event | {"type": "websocket.send"})


async def ignore_the_end(receive, send):
    while True:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            print("cancelled", flush=True)
            raise


APPLICATIONS = {
    f"/{function.__name__}/": function
    for function in (
        return_at_once,
        fail,
        close_with_1012_and_a_reason,
        never_receive,
        send_for_ever,
        send_until_the_end,
        echo,
        ignore_the_end,
    )
}
