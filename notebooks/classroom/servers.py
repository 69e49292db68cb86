"""Real servers in this process or in another, and a client of theirs."""

import asyncio
import atexit
import json
import os
import re
import shlex
import socket
import sys
import threading
from asyncio.subprocess import DEVNULL, PIPE, STDOUT
from concurrent.futures import Future, wait
from contextlib import suppress
from functools import partial
from pathlib import Path

from websockets.asyncio.client import ClientConnection
from websockets.asyncio.client import connect as open_connection
from websockets.exceptions import ConnectionClosed, InvalidStatus

from .elsewhere import settings_of_demo
from .leftovers import closed, left_open, opened

# Seconds of waiting that count as "nothing came", and after which a lesson has failed.
SILENCE, PATIENCE = 0.5, 10

# What to do where a reader has run one cell twice, or a cell without those before it.
NO_FRAME = (
    f"No frame has come for {PATIENCE} seconds. Has this cell received it before? Run all cells."
)
CLOSED = "The server is closed. Run the cell with `serve` again, and the cells after it."


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
        try:
            return json.loads(await asyncio.wait_for(self.socket.recv(), PATIENCE))
        except TimeoutError:
            raise TimeoutError(NO_FRAME) from None

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
        self.unfinished: dict[Future, asyncio.Task] = {}
        self.start()
        opened(self)

    def start(self) -> None:
        from daphne.server import Server

        ready = threading.Event()
        self.server = Server(
            self.visit,
            endpoints=["tcp:0:interface=127.0.0.1"],
            signal_handlers=False,  # the main thread belongs to the kernel
            ready_callable=ready.set,
        )
        self.server.listen_success = partial(setattr, self, "port")
        threading.Thread(target=self.server.run, daemon=True).start()
        ready.wait()

    @property
    def address(self) -> str:
        place = self.port.getHost()
        return f"{place.host}:{place.port}"

    async def visit(self, scope, receive, send):
        """Run the application of the day, and note when it has ended for this client."""
        visit = self.visits[client_of(scope)] = Future()
        self.unfinished[visit] = asyncio.current_task()
        try:
            await self.application(scope, receive, send)
        finally:
            self.unfinished.pop(visit)
            visit.set_result(None)

    async def connect(self, path: str, **options) -> "Visitor":
        """Open a socket to this server; see `Client.connect`."""
        assert self in left_open, CLOSED
        name = options.get("name", "client")
        try:
            visitor = await Visitor.connect(f"ws://{self.address}{path}", **options)
        except InvalidStatus as refusal:
            await finished(self.visits.get(name))
            raise refusal.with_traceback(None) from None  # the library's frames teach nothing here
        visitor.visit = self.visits.get(name)
        return visitor

    def reopen(self) -> None:
        """Listen again, on another port."""
        in_twisted(self.port.startListening)
        opened(self)

    async def close(self) -> None:
        """Stop listening, and let go of the clients that are left.

        The thread stays for the next `serve`, because a process can start Daphne only once.
        """
        closed(self)
        await asyncio.to_thread(in_twisted, self.port.stopListening)
        await asyncio.to_thread(self.let_go)

    aclose = close

    def let_go(self) -> None:
        for connection in [*self.server.connections]:
            if connection.transport:
                in_twisted(connection.transport.abortConnection)
        wait(self.unfinished, SILENCE)
        for task in [*self.unfinished.values()]:
            task.get_loop().call_soon_threadsafe(task.cancel)
        wait(self.unfinished, PATIENCE)


def in_twisted(call):
    """Call a function in the thread of Daphne, and wait for its result."""
    from twisted.internet import reactor
    from twisted.internet.threads import blockingCallFromThread

    return blockingCallFromThread(reactor, call)


class UvicornRoom(Room):
    """Real uvicorn, in the same way."""

    def start(self) -> None:
        import uvicorn

        self.listener = socket.create_server(("127.0.0.1", 0))
        options = {"ws_max_size": 2**20, "ws_per_message_deflate": False}
        config = uvicorn.Config(
            self.visit, interface="asgi3", lifespan="off", log_config=None, **options
        )
        self.server = uvicorn.Server(config)
        run = partial(self.server.run, [self.listener])
        self.thread = threading.Thread(target=run, daemon=True)
        self.thread.start()

    @property
    def address(self) -> str:
        return "{}:{}".format(*self.listener.getsockname())

    async def close(self) -> None:
        """Stop the server."""
        closed(self)
        self.server.should_exit = True
        await asyncio.to_thread(self.thread.join, PATIENCE)
        self.server.force_exit = True  # where an application does not end by itself
        await asyncio.to_thread(self.thread.join)

    aclose = close


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
    if serve.room is None:
        serve.room = Room(application)
    elif serve.room not in left_open:
        serve.room.reopen()
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
        opened(self)

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
        closed(self)
        return self.process.returncode, printed.decode().splitlines()

    async def stop(self) -> None:
        """Send SIGTERM, and wait."""
        self.terminate()
        await self.ended()

    def kill(self) -> None:
        with suppress(ProcessLookupError):
            self.process.kill()

    async def aclose(self) -> None:
        self.kill()
        await self.ended()


class Redis:
    """A stand-in for Redis on a port of its own, in threads of this process.

    A second one takes the place and the port of the first, which the settings may have.
    """

    last = None

    def __init__(self):
        import fakeredis

        port = Redis.last.replaced() if Redis.last else 0
        self.server = fakeredis.TcpFakeServer(("127.0.0.1", port))
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        Redis.last = self

    @property
    def port(self) -> int:
        return self.server.server_address[1]

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    def replaced(self) -> int:
        """Close, and return the port; channel layers of this process shall connect anew."""
        from channels.layers import channel_layers

        self.close()
        channel_layers.backends.clear()
        return self.port


async def launch(command: str, **options) -> Launched:
    """Run a command that starts Daphne, or a server with its arguments, and wait until it listens.

    Daphne says where on stderr. Its access log would come between what applications print.
    `options` are those of a subprocess, such as `cwd`.
    """
    words = [*words_of(command), "--access-log", os.devnull]
    process = await asyncio.create_subprocess_exec(*words, stdout=PIPE, stderr=PIPE, **options)
    said = b""
    async for line in process.stderr:
        said += line
        if found := re.search(rb"Listening on TCP address (\S+)", line):
            return Launched(process, found[1].decode())
    raise AssertionError(f"{command!r} ended before it listened: {said.decode()}")


async def run(command: str, *words: str, **options) -> str:
    """Run a command to its end, and return what it printed; `words` follow those of the command.

    Raises AssertionError with what it printed if it fails.
    """
    words = [*words_of(command), *words]
    process = await asyncio.create_subprocess_exec(*words, stdout=PIPE, stderr=STDOUT, **options)
    printed = (await process.communicate())[0].decode()
    assert process.returncode == 0, f"{command!r} failed: {printed}"
    return printed


def words_of(command: str) -> list[str]:
    """Return the words of a command line, with this process's Python for `python`."""
    first, *others = shlex.split(command)
    return [sys.executable if first == "python" else first, *others]


async def run_demo() -> Launched:
    """Run `manage.py demo` on a free port, and wait until it serves the page.

    Called again, it ends the one before.
    """
    if run_demo.running:
        run_demo.running.kill()
    manage = Path(__file__).parents[2] / "reference_app" / "manage.py"
    command = [sys.executable, manage, "demo", "--port", "0"]
    environment = os.environ | settings_of_demo()
    process = await asyncio.create_subprocess_exec(
        *command, env=environment, stdout=PIPE, stderr=DEVNULL
    )
    if found := re.match(rb"Serving http://([\d.:]+)", await process.stdout.readline()):
        run_demo.running = Launched(process, found[1].decode())
        await first_answer(f"http://{run_demo.running.address}/healthz")
        return run_demo.running
    raise AssertionError("The demo does not start; in a terminal, manage.py demo says why.")


run_demo.running = None


async def first_answer(url: str) -> None:
    """Wait until a server answers whose socket listens already."""
    import httpx

    async with httpx.AsyncClient(trust_env=False, timeout=3 * PATIENCE) as http:
        await http.get(url)


def client_of(scope: dict) -> str:
    """Return the name that a client gave itself."""
    return dict(scope["headers"]).get(b"user-agent", b"client").decode()
