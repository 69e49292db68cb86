"""Applications that bring about the cases of README.md's table of servers, by path."""

import asyncio
import json

ACCEPT = {"type": "websocket.accept"}

REASON = "Who are you?"
LONG_REASON = REASON * 11  # 132 bytes; a close frame has room for 123

# Bytes that a server is made to hold; the kernels' buffers of a connection take a part of it.
MUCH = 64 * 2**20
FRAME = "x" * 2**16

# What applications have seen, for whoever asks the witness.
NOTES: dict[str, object] = {"sent": 0}


async def application(scope, receive, send):
    await receive()
    await APPLICATIONS[scope["path"]](scope, receive, send)


def accepted(converse):
    """Return an application that accepts, and then does as `converse` does."""

    async def accepting(scope, receive, send):
        await send(ACCEPT)
        await converse(receive, send)

    return accepting


def text(message: str) -> dict:
    return {"type": "websocket.send", "text": message}


def closing(code: int, reason: str):
    @accepted
    async def close(receive, send):
        await send({"type": "websocket.close", "code": code, "reason": reason})
        await receive()

    return close


@accepted
async def tell_what_is_noted(receive, send):
    while (event := await receive())["type"] == "websocket.receive":
        await send(text(json.dumps(NOTES.get(event["text"]))))


@accepted
async def wait(receive, send):
    print((await receive())["type"], flush=True)  # there will be nobody to ask


@accepted
async def return_at_once(receive, send):
    pass


@accepted
async def fail(receive, send):
    raise RuntimeError("a bug")


@accepted
async def measure(receive, send):
    message = (await receive()).get("text", "")
    await send(text(str(len(message))))
    await receive()


@accepted
async def send_an_empty_message(receive, send):
    await send(text(""))
    await send(text("after it"))
    await receive()


@accepted
async def send_much(receive, send):
    await receive()
    while NOTES["sent"] < MUCH:
        await send(text(FRAME))
        NOTES["sent"] += len(FRAME)
        await asyncio.sleep(0)


@accepted
async def receive_nothing(receive, send):
    await asyncio.Event().wait()


@accepted
async def note_the_code(receive, send):
    NOTES["code"] = (await receive())["code"]


@accepted
async def send_to_nobody(receive, send):
    await receive()  # the end
    try:
        await send(text("Are you there?"))
    except OSError:
        NOTES["sent to nobody"] = "raises"
    else:
        NOTES["sent to nobody"] = "returns"


async def accept_late(scope, receive, send):
    await asyncio.sleep(6)
    await send(ACCEPT)
    await receive()


async def accept_with_a_header(scope, receive, send):
    await send(ACCEPT | {"headers": [(b"x-note", b"welcome")]})
    await receive()


async def refuse_with_401(scope, receive, send):
    """Refuse by a response where the server has the extension for it, else as all do."""
    if "websocket.http.response" not in scope.get("extensions", {}):
        return await send({"type": "websocket.close"})
    await send({"type": "websocket.http.response.start", "status": 401, "headers": []})
    await send({"type": "websocket.http.response.body", "body": b""})


async def tell_root_path(scope, receive, send):
    await send(ACCEPT)
    await send(text(scope["root_path"] or "none"))
    await receive()


APPLICATIONS = {
    "/tells-what-is-noted/": tell_what_is_noted,
    "/waits/": wait,
    "/closes/": closing(4001, REASON),
    "/closes-at-length/": closing(4001, LONG_REASON),
    "/closes-with-1012/": closing(1012, REASON),
    "/raises/": fail,
    "/returns/": return_at_once,
    "/accepts-late/": accept_late,
    "/refuses-with-401/": refuse_with_401,
    "/accepts-with-a-header/": accept_with_a_header,
    "/sends-an-empty-message/": send_an_empty_message,
    "/sends-to-nobody/": send_to_nobody,
    "/sends-much/": send_much,
    "/receives-nothing/": receive_nothing,
    "/notes-the-code/": note_the_code,
    "/measures/": measure,
    "/has-a-token/": measure,
    "/tells-root-path/": tell_root_path,
}
