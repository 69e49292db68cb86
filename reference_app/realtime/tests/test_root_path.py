"""Which paths are below the one on which a server is mounted."""

import json

import pytest

from ..server.root_path import is_below, refuse_path


@pytest.mark.parametrize(
    ("root_path", "path", "is_inside"),
    [
        ("", "/ws/notifications/", True),
        ("/chat", "/chat", True),
        ("/chat", "/chat/ws/", True),
        ("/chat/", "/chat/ws/", True),
        ("/chat", "/ws/", False),
        ("/chat", "/chatter/ws/", False),
    ],
)
def test_path_is_below_the_root_path_by_whole_parts(root_path, path, is_inside):
    assert is_below(root_path, path) is is_inside


async def sent_by_refusal(kind: str) -> list[dict]:
    sent = []

    async def send(message):
        sent.append(message)

    await refuse_path({"type": kind}, None, send)
    return sent


async def test_request_outside_is_answered_404_as_json():
    start, body = await sent_by_refusal("http")
    assert start["status"] == 404
    assert json.loads(body["body"])["error"] == "not_found"


async def test_handshake_outside_is_refused():
    assert await sent_by_refusal("websocket") == [{"type": "websocket.close"}]
