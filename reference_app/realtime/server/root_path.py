"""Refuses what is outside the path on which a server is mounted; Django and Channels raise."""

from ..protocol.refused_requests import NOT_FOUND


def is_below(root_path: str, path: str) -> bool:
    root = root_path.rstrip("/")
    return path == root or path.startswith(root + "/")


async def refuse_path(scope, receive, send):
    """Answer a request with HTTP 404, and a handshake with 403."""
    if scope["type"] == "websocket":
        return await send({"type": "websocket.close"})
    await NOT_FOUND.answer(send)
