"""What goes over the wire of a page, as Chromium reports it and not as the page tells it."""

import json
from urllib.parse import parse_qs

from devrealm.accounts import PEOPLE


class Socket:
    """One WebSocket of a page: its address, its frames in both directions, its end.

    The heartbeat is left out, and so are read marks: both come by themselves.
    """

    def __init__(self, socket):
        self.url, self.is_open = socket.url, True
        self.received, self.sent = [], []
        socket.on("framereceived", lambda text: keep(text, self.received))
        socket.on("framesent", lambda text: keep(text, self.sent))
        socket.on("close", lambda _: setattr(self, "is_open", False))

    @property
    def is_of(self) -> str | None:
        """The username of whoever it serves, once the server has greeted them."""
        subject = next((frame.get("user_id") for frame in self.received), None)
        return next((name for name in PEOPLE if PEOPLE[name].subject == subject), None)

    @property
    def stream(self) -> str:
        return "Notifications" if "/ws/notifications/" in self.url else "Organization"

    def types(self) -> list[str]:
        return [frame["type"] for frame in self.received]


def keep(text: str, frames: list[dict]) -> None:
    frame = json.loads(text)
    if frame["type"] not in ("ping", "pong", "notifications.read"):
        frames.append(frame)


class Witness:
    """Keeps each socket that a page opens, each address it asks for, and each token it gets."""

    def __init__(self, page):
        self.sockets: list[Socket] = []
        self.urls: list[str] = []
        self.asked_for_tokens: list[str] = []
        page.on("websocket", lambda socket: self.sockets.append(Socket(socket)))
        page.on("request", self.requested)

    def requested(self, request) -> None:
        self.urls.append(request.url)
        if request.url.endswith("/token"):
            self.asked_for_tokens += parse_qs(request.post_data)["username"]

    def sockets_of(self, username: str) -> list[Socket]:
        return [socket for socket in self.sockets if socket.is_of == username]

    def open_sockets(self) -> list[tuple]:
        """Return whose sockets are open, and on which stream."""
        return sorted((each.is_of, each.stream) for each in self.sockets if each.is_open)
