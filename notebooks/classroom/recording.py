"""Notes every event between server, application and layer, and draws them."""

import json
import re
from collections.abc import Hashable
from contextvars import ContextVar
from typing import NamedTuple

from .servers import client_of

# Whose connection the running code serves, which tasks inherit. What a process does for all of its
# sockets is for no client.
current_client = ContextVar("current_client", default="")

APPLICATION, LAYER = "application", "layer"

# What the reference app hears once for all sockets of the process, whoever's was the first.
FOR_THE_PROCESS = ("stream.entry", "access.changed")


class Note(NamedTuple):
    """One arrow of a diagram, and the client on whose behalf it was drawn.

    An effect has what was delivered too, which is the same for all clients that it is delivered to.
    """

    source: str
    target: str
    label: str
    client: str = ""
    delivered: Hashable = None


class Recorder:
    """ASGI middleware that notes every event between server and application, to draw them."""

    def __init__(self, application=None):
        self.application = application
        self.notes: list[Note] = []

    async def __call__(self, scope, receive, send):
        client = client_of(scope)
        current_client.set(client)

        async def noting_receive():
            event = await receive()
            self.note(client, APPLICATION, told(event, scope["path"]), client)
            return event

        async def noting_send(event):
            self.note(APPLICATION, client, told(event), client, repr(event))
            await send(event)

        await self.application(scope, noting_receive, noting_send)

    def note(self, *arrow) -> None:
        self.notes.append(Note(*arrow))

    def watch(self, layer) -> None:
        """Note what goes into and out of a channel layer too, instead of an earlier recorder."""
        for name in ("group_add", "group_discard", "group_send", "receive"):
            vars(layer).pop(name, None)
        for name in ("group_add", "group_discard", "group_send"):
            setattr(layer, name, self.noting_call(name, getattr(layer, name)))
        layer.receive = self.noting_delivery(layer.receive)

    def noting_call(self, name: str, method):
        async def call(group, *args):
            client = current_client.get()
            source = "code" if name == "group_send" else APPLICATION
            self.note(source, LAYER, f"{name} {short(group)}", client)
            return await method(group, *args)

        return call

    def noting_delivery(self, receive):
        async def deliver(channel):
            message = await receive(channel)
            client = "" if message["type"] in FOR_THE_PROCESS else current_client.get()
            label = f"{message['type']} for {client}" if client else message["type"]
            self.note(LAYER, APPLICATION, label, client, repr(message) if client else None)
            return message

        return deliver

    def listen(self, client, name: str, server: str) -> None:
        """Note too what a client hears from the server of another process."""
        receive = client.receive

        async def noting_receive():
            frame = await receive()
            code = f" {frame['code']}" if "code" in frame else ""
            self.note(server, name, frame["type"] + code, name)
            return frame

        client.receive = noting_receive

    def clear(self) -> None:
        self.notes.clear()

    def diagram(self) -> "Diagram":
        """Return what was noted so far, as a picture and as text."""
        return Diagram(self.in_order())

    def in_order(self) -> list[Note]:
        """Return the notes as they came; what one delivery did to several clients, by client."""
        deliveries: list[list[Note]] = []
        for note in self.notes:
            if (delivery := same_delivery(deliveries, note)) is not None:
                delivery.append(note)
            else:
                deliveries.append([note])
        return [note for each in deliveries for note in sorted(each, key=by_client)]


def same_delivery(deliveries: list[list[Note]], note: Note) -> list[Note] | None:
    """Return the delivery that a note belongs to.

    Which of the clients a server serves first differs from run to run. It is never drawn that a
    client has something before what it had earlier, or before what another client asked for.
    """
    for delivery in reversed(deliveries):
        first = delivery[0]
        if first.delivered is None or any(note.client == each.client for each in delivery):
            return None
        if (first.source, first.delivered) == (note.source, note.delivered):
            return delivery
    return None


def by_client(note: Note) -> str:
    return note.client


UUID_IN_PATH = re.compile(r"([0-9a-f]{8})-[0-9a-f-]{27}", re.IGNORECASE)


def told(event: dict, path: str = "") -> str:
    """Return an ASGI event in a line: its type, and what it carries that a reader looks for."""
    if event["type"] == "websocket.connect":
        return f"{event['type']} " + UUID_IN_PATH.sub(r"\1…", path)
    if event["type"] in ("websocket.receive", "websocket.send"):
        return f"{event['type']} {gist(event)}"
    code = event.get("code")
    return event["type"] if code is None else f"{event['type']} {code}"


def gist(event: dict) -> str:
    """Return the type of a frame that has one, or the beginning of its text."""
    text = event.get("text")
    if text is None:
        return f"{len(event.get('bytes') or b'')} bytes"
    try:
        return json.loads(text)["type"]
    except (ValueError, TypeError, KeyError, RecursionError):
        return text if len(text) <= 30 else f"{text[:29]}…"


def short(group: str) -> str:
    """Return the beginning of a group's name, enough to tell it from others."""
    kind, _, rest = group.partition(".")
    return f"{kind}.{rest[:8]}…" if len(rest) > 8 else group


class Diagram:
    """A sequence diagram of what was recorded: Mermaid where it is drawn, text everywhere else."""

    def __init__(self, notes: list[Note]):
        self.notes = notes

    def mermaid(self) -> str:
        names = list(dict.fromkeys(name for note in self.notes for name in note[:2]))
        lines = [f"    participant P{i} as {name}" for i, name in enumerate(names)]
        for source, target, label, *_ in self.notes:
            label = label.replace("#", "#35;").replace(";", "#59;")
            lines.append(f"    P{names.index(source)}->>P{names.index(target)}: {label}")
        return "\n".join(["sequenceDiagram", *lines])

    def __repr__(self) -> str:
        width = max((len(name) for note in self.notes for name in note[:2]), default=0)
        return "\n".join(
            f"{source:>{width}} → {target:<{width}}  {label}"
            for source, target, label, *_ in self.notes
        )

    def _repr_mimebundle_(self, **kwargs) -> dict:
        return {"text/vnd.mermaid": self.mermaid(), "text/plain": repr(self)}
