"""The course's few tools: people, real servers, a client, a recorder, source, charts, a live page.

Nothing here is taught, and nothing that is taught is hidden here: the servers are Daphne and
uvicorn, the client is `websockets`, and the recorder is ASGI middleware of a few lines.
"""

import asyncio
import atexit
import inspect
import json
import os
import re
import shlex
import socket
import sys
import tempfile
import textwrap
import threading
from asyncio.subprocess import DEVNULL, PIPE
from concurrent.futures import Future
from contextlib import suppress
from contextvars import ContextVar
from functools import partial
from pathlib import Path
from typing import NamedTuple

from asgiref.sync import sync_to_async
from websockets.asyncio.client import ClientConnection
from websockets.asyncio.client import connect as open_connection
from websockets.exceptions import ConnectionClosed, InvalidStatus

# Tokens of the course end on 1 January 2100, so that no output depends on the day it was made.
COURSE_ENDS = 4102444800

# Seconds of waiting that count as "nothing came", and after which a lesson has failed.
SILENCE, PATIENCE = 0.5, 10


async def prepare() -> None:
    """Set Django up, with a database in a temporary folder and the demo's three people in it."""
    prepare.folder = tempfile.TemporaryDirectory(prefix="classroom-")
    os.environ["DATA_DIR"] = prepare.folder.name
    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings.local"
    import django

    django.setup()
    from django.core.management import call_command

    from devrealm.people import settle

    await sync_to_async(call_command)("migrate", verbosity=0)
    await sync_to_async(settle)()
    await sync_to_async(begin_streams)()


def begin_streams() -> None:
    """Begin the demo's streams, and give every entry one tag, which is random elsewhere."""
    from api import outbox
    from api.groups import org_group, user_group
    from api.models import Stream
    from devrealm.people import ORG_ID, PEOPLE

    names = [org_group(ORG_ID), *(user_group(person.subject) for person in PEOPLE.values())]
    Stream.objects.bulk_create(Stream(name=name, tag="course") for name in names)
    outbox.new_tag = lambda: "course"


def token(username: str) -> str:
    """Return an access token for alice, bob or mallory, as Keycloak would write it."""
    from devrealm.issue import access_token

    return access_token(username, exp=COURSE_ENDS)


class Client:
    """One end of a WebSocket: connect, send, receive, silence, leave. Frames are JSON."""

    def __init__(self, socket: ClientConnection):
        self.socket = socket

    @classmethod
    async def connect(cls, url: str, *, token: str | None = None, name: str = "client", **options):
        """Open a socket; raises `websockets.InvalidStatus` when the server refuses the handshake.

        `name` travels as User-Agent. A token goes into the header that browsers cannot set.
        """
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        headers |= options.pop("headers", {})
        options = {"compression": None, "proxy": None} | options
        socket = await open_connection(
            url, additional_headers=headers, user_agent_header=name, **options
        )
        return cls(socket)

    @property
    def subprotocol(self) -> str | None:
        """The subprotocol that the server selected."""
        return self.socket.subprotocol

    async def send(self, message) -> None:
        """Send text or bytes as they are, anything else as JSON."""
        raw = isinstance(message, str | bytes)
        await self.socket.send(message if raw else json.dumps(message))

    async def receive(self):
        """Return the next frame."""
        return json.loads(await asyncio.wait_for(self.socket.recv(), PATIENCE))

    async def arrived(self) -> list:
        """Return the frames that are there already, or come within half a second."""
        frames = []
        try:
            while True:
                frames.append(json.loads(await asyncio.wait_for(self.socket.recv(), SILENCE)))
        except TimeoutError:
            return frames

    async def silence(self) -> None:
        """Raise AssertionError if a frame comes within half a second."""
        frames = await self.arrived()
        assert not frames, f"There should be silence, but this came: {frames}"

    async def closed(self) -> int:
        """Wait until the server closes, with nothing more to read, and return its close code."""
        try:
            frame = await asyncio.wait_for(self.socket.recv(), PATIENCE)
        except ConnectionClosed:
            return self.socket.close_code
        raise AssertionError(f"The socket should close, but this came: {frame}")

    async def leave(self) -> None:
        """Close the socket."""
        await self.socket.close()


class Room:
    """Real Daphne on a port of its own, in a thread of this process."""

    def __init__(self, application):
        self.application, self.visits = application, {}
        self.start()

    def start(self) -> None:
        from daphne.server import Server

        ready = threading.Event()
        self.server = Server(
            self.visit,
            endpoints=["tcp:0:interface=127.0.0.1"],
            signal_handlers=False,  # the main thread belongs to the kernel
            ready_callable=ready.set,
        )
        self.thread = threading.Thread(target=self.server.run, daemon=True)
        self.thread.start()
        ready.wait()

    @property
    def address(self) -> str:
        return "{}:{}".format(*self.server.listening_addresses[0])

    async def visit(self, scope, receive, send):
        """Run the application of the day, and note when it has ended for this client."""
        visit = self.visits[client_of(scope)] = Future()
        try:
            await self.application(scope, receive, send)
        finally:
            visit.set_result(None)

    async def connect(self, path: str, **options) -> "Visitor":
        """Open a socket to this server; see `Client.connect`."""
        name = options.get("name", "client")
        try:
            visitor = await Visitor.connect(f"ws://{self.address}{path}", **options)
        except InvalidStatus as refusal:
            await finished(self.visits.get(name))
            raise refusal.with_traceback(None) from None  # the library's frames teach nothing here
        visitor.visit = self.visits.get(name)
        return visitor

    async def close(self) -> None:
        """Stop the server; a process can start Daphne once only."""
        self.stop()
        await asyncio.to_thread(self.thread.join)

    def stop(self) -> None:
        from twisted.internet import reactor

        reactor.callFromThread(self.server.stop)


class UvicornRoom(Room):
    """Real uvicorn, in the same way."""

    def start(self) -> None:
        import uvicorn

        self.listener = socket.create_server(("127.0.0.1", 0))
        config = uvicorn.Config(self.visit, interface="asgi3", lifespan="off", log_config=None)
        self.server = uvicorn.Server(config)
        run = partial(self.server.run, [self.listener])
        self.thread = threading.Thread(target=run, daemon=True)
        self.thread.start()

    @property
    def address(self) -> str:
        return "{}:{}".format(*self.listener.getsockname())

    def stop(self) -> None:
        self.server.should_exit = True


class Visitor(Client):
    """A client of a `Room`: leaving waits until the application has noticed."""

    visit: Future | None = None

    async def leave(self) -> None:
        await super().leave()
        await finished(self.visit)


async def finished(visit: Future | None) -> None:
    """Wait until the application has returned for a client."""
    if visit:
        await asyncio.wait_for(asyncio.wrap_future(visit), PATIENCE)


def serve(application) -> Room:
    """Serve an ASGI application on real Daphne; called again, the same server serves another."""
    if serve.room is None or not serve.room.thread.is_alive():
        serve.room = Room(application)
    serve.room.application = application
    return serve.room


serve.room = None


def serve_on_uvicorn(application) -> Room:
    """Serve an ASGI application on a real uvicorn of its own."""
    return UvicornRoom(application)


class Launched:
    """A server in a process of its own."""

    def __init__(self, process: asyncio.subprocess.Process, address: str):
        self.process, self.address = process, address
        atexit.register(self.kill)  # a lesson that fails half-way leaves no server behind

    async def connect(self, path: str, **options) -> Client:
        """Open a socket to this server; see `Client.connect`."""
        try:
            return await Client.connect(f"ws://{self.address}{path}", **options)
        except InvalidStatus as refusal:
            raise refusal.with_traceback(None) from None  # as in a room

    async def line(self) -> str:
        """Return the next line that it prints; empty when it prints none for two seconds."""
        try:
            line = await asyncio.wait_for(self.process.stdout.readline(), 4 * SILENCE)
        except TimeoutError:
            return ""
        return line.decode().rstrip()

    def terminate(self) -> None:
        """Send SIGTERM, and do not wait."""
        self.process.terminate()

    async def ended(self) -> tuple[int, list[str]]:
        """Wait until it has ended; return its exit code, and the lines that nobody has read."""
        printed, _ = await self.process.communicate()
        return self.process.returncode, printed.decode().splitlines()

    async def stop(self) -> None:
        """Send SIGTERM, and wait."""
        self.terminate()
        await self.ended()

    def kill(self) -> None:
        with suppress(ProcessLookupError):
            self.process.kill()


async def launch(command: str) -> Launched:
    """Run a command that starts Daphne, or a server with its arguments, and wait until it listens.

    Daphne says where on stderr. Its access log would come between what applications print.
    """
    words = [*shlex.split(command), "--access-log", os.devnull]
    if words[0] == "python":
        words[0] = sys.executable
    process = await asyncio.create_subprocess_exec(*words, stdout=PIPE, stderr=PIPE)
    said = b""
    async for line in process.stderr:
        said += line
        if found := re.search(rb"Listening on TCP address (\S+)", line):
            return Launched(process, found[1].decode())
    raise AssertionError(f"{command!r} ended before it listened: {said.decode()}")


async def run_demo() -> Launched:
    """Run `manage.py demo` on a free port, and wait until it says where it serves the page."""
    manage = Path(__file__).parents[1] / "reference_app" / "manage.py"
    command = [sys.executable, manage, "demo", "--port", "0"]
    process = await asyncio.create_subprocess_exec(*command, stdout=PIPE, stderr=DEVNULL)
    if found := re.match(rb"Serving http://([\d.:]+)", await process.stdout.readline()):
        return Launched(process, found[1].decode())
    raise AssertionError("The demo does not start; in a terminal, manage.py demo says why.")


def client_of(scope: dict) -> str:
    """Return the name that a client gave itself."""
    return dict(scope["headers"]).get(b"user-agent", b"client").decode()


# Whose connection the running code serves; tasks inherit it.
current_client = ContextVar("current_client", default="code")

APPLICATION, LAYER = "application", "layer"

# What the reference app hears once for all sockets of the process, whoever's was the first.
FOR_THE_PROCESS = ("stream.entry", "authority.changed")


class Note(NamedTuple):
    """One arrow of a diagram, and the client on whose behalf it was drawn."""

    source: str
    target: str
    label: str
    client: str = ""


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
            self.notes.append(Note(client, APPLICATION, told(event, scope["path"]), client))
            return event

        async def noting_send(event):
            self.notes.append(Note(APPLICATION, client, told(event), client))
            await send(event)

        await self.application(scope, noting_receive, noting_send)

    def watch(self, layer) -> None:
        """Note what goes into and out of a channel layer too."""
        for name in ("group_add", "group_discard", "group_send"):
            setattr(layer, name, self.noting_call(name, getattr(layer, name)))
        layer.receive = self.noting_delivery(layer.receive)

    def noting_call(self, name: str, method):
        async def call(group, *args):
            client = current_client.get()
            source = "code" if name == "group_send" else APPLICATION
            self.notes.append(Note(source, LAYER, f"{name} {short(group)}", client))
            return await method(group, *args)

        return call

    def noting_delivery(self, receive):
        async def deliver(channel):
            message = await receive(channel)
            client = "" if message["type"] in FOR_THE_PROCESS else current_client.get()
            label = f"{message['type']} for {client}" if client else message["type"]
            self.notes.append(Note(LAYER, APPLICATION, label, client))
            return message

        return deliver

    def clear(self) -> None:
        self.notes.clear()

    def diagram(self) -> "Diagram":
        """Return what was noted so far, as a picture and as text."""
        return Diagram(self.in_order())

    def in_order(self) -> list[Note]:
        """Return the notes; what one cause did to several clients comes client by client."""
        windows: list[list[Note]] = []
        for note in self.notes:
            if not windows or note.source not in (APPLICATION, LAYER):
                windows.append([])
            windows[-1].append(note)
        return [n for cause, *effects in windows for n in [cause, *sorted(effects, key=by_client)]]


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
        for source, target, label, _ in self.notes:
            label = label.replace("#", "#35;").replace(";", "#59;")
            lines.append(f"    P{names.index(source)}->>P{names.index(target)}: {label}")
        return "\n".join(["sequenceDiagram", *lines])

    def __repr__(self) -> str:
        width = max((len(name) for note in self.notes for name in note[:2]), default=0)
        return "\n".join(
            f"{source:>{width}} → {target:<{width}}  {label}"
            for source, target, label, _ in self.notes
        )

    def _repr_mimebundle_(self, **kwargs) -> dict:
        return {"text/vnd.mermaid": self.mermaid(), "text/plain": repr(self)}


class show:
    """Shows the source of a class, a function, a module or a file, as it is today."""

    def __init__(self, thing):
        is_file = isinstance(thing, Path)
        source = thing.read_text() if is_file else inspect.getsource(thing)
        self.source = textwrap.dedent(source).rstrip()
        self.language = thing.suffix[1:] if is_file else "python"

    def __repr__(self) -> str:
        return self.source

    def _repr_mimebundle_(self, **kwargs) -> dict:
        fenced = f"```{self.language}\n{self.source}\n```"
        return {"text/markdown": fenced, "text/plain": self.source}


class table:
    """Shows rows, dicts with the same keys, as a table in Markdown and in text."""

    def __init__(self, rows: list[dict]):
        self.rows = [[str(cell) for cell in row] for row in (rows[0], *map(dict.values, rows))]

    def __repr__(self) -> str:
        widths = [max(map(len, column)) for column in zip(*self.rows, strict=True)]
        return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in self.rows)

    def _repr_mimebundle_(self, **kwargs) -> dict:
        head, *rows = (f"| {' | '.join(row)} |" for row in self.rows)
        rule = "|---" * len(self.rows[0]) + "|"
        return {"text/markdown": "\n".join([head, rule, *rows]), "text/plain": repr(self)}


class bars:
    """Shows numbers by their names as a bar chart: Mermaid where it is drawn, text elsewhere."""

    # With labels on the axis of numbers, Mermaid would give a bar of zero half their width.
    LOOK = {
        "xyChart": {"width": 800, "yAxis": {"showLabel": False, "showTick": False}},
        "themeVariables": {"xyChart": {"plotColorPalette": "#4477aa"}},
    }

    def __init__(self, title: str, numbers: dict[str, float]):
        self.title, self.numbers = title, numbers
        self.most = max(numbers.values()) or 1

    def mermaid(self) -> str:
        names = ", ".join(f'"{name}: {number:,g}"' for name, number in self.numbers.items())
        look = self.LOOK | {
            "xyChart": self.LOOK["xyChart"] | {"height": 80 + 40 * len(self.numbers)}
        }
        lines = [
            f"%%{{init: {json.dumps(look)}}}%%",
            "xychart-beta horizontal",
            f'    title "{self.title}"',
            f"    x-axis [{names}]",
            f"    y-axis 0 --> {self.most}",
            f"    bar {list(self.numbers.values())}",
        ]
        return "\n".join(lines)

    def __repr__(self) -> str:
        longest = max(map(len, self.numbers))
        rows = [
            f"{name:>{longest}}  {'█' * round(40 * number / self.most)} {number:,g}"
            for name, number in self.numbers.items()
        ]
        return "\n".join([self.title, *rows])

    def _repr_mimebundle_(self, **kwargs) -> dict:
        return {"text/vnd.mermaid": self.mermaid(), "text/plain": repr(self)}


class frame:
    """Shows a server's page, live, where somebody looks; what is saved is a sentence in its place.

    The page, and a link to it, come as an update of that sentence, because the address differs from
    run to run.
    """

    def __init__(self, server: Launched, height: int = 720):
        url, size = f"http://{server.address}/", f'width="100%" height="{height}"'
        link = f'<a href="{url}" target="_blank">Open the page in a tab of its own</a>'
        self.html = f'<p>{link}</p><iframe src="{url}" {size}></iframe>'

    def _ipython_display_(self) -> None:
        from IPython.display import display

        stand_in = {"text/plain": "Here is the page, while this notebook runs in JupyterLab."}
        handle = display(stand_in, raw=True, display_id=True)
        handle.update({"text/html": self.html}, raw=True)
