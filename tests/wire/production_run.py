"""A run of two servers behind nginx as shipped, told by those who talk to them."""

import asyncio
import re
from contextlib import AsyncExitStack

import httpx

from classroom import Client, token
from tests.wire.nginx import Nginx
from tests.wire.parts import AppServer
from tests.wire.servers import PATIENCE, eventually
from tests.wire.test_health import BY_ADDRESS, CLOSED_WITH_1012, deaf_socket, readiness
from tests.wire.test_metrics import samples
from tests.wire.test_nginx import enter, requests
from tests.wire.test_refusals import NOTIFICATIONS

ALICE, NGINX, PROBE, PROMETHEUS, SYSTEMD = "Alice", "nginx", "probe", "Prometheus", "systemd"

BEARER = {"Authorization": f"Bearer {token('alice')}"}
NOTIFY = "/api/me/notifications/"
SOCKETS = ("realtime_connections", "NotificationConsumer")

# What nginx writes of a handshake: path, status, and the last server that it tried.
HANDSHAKE = re.compile(r'"GET (/ws/\S+) HTTP/1.1" (\d+) .+ upstream (?:[\d.:]+, )*([\d.:]+) ')


class ProductionRun:
    """What happens between a client, nginx, two servers and those who watch them, in order.

    `notes` are the arrows of a sequence diagram. Once Alice is there, her server is the first one.
    """

    def __init__(self, front: Nginx, servers: list[AppServer]):
        self.front, self.servers = front, servers
        self.notes: list[tuple[str, str, str]] = []

    async def tell(self) -> None:
        """Let Alice in, restart her server, and let her go on at the other one."""
        async with AsyncExitStack() as stack:
            site = await stack.enter_async_context(requests(self.front))
            alice = await self.arrive()
            # A server that drains answers over connections that it has.
            kept = httpx.Limits(keepalive_expiry=PATIENCE)
            probe = self.servers[0].life.requests(headers=BY_ADDRESS, limits=kept)
            await stack.enter_async_context(probe)
            await self.probe(probe)
            await self.scrape()
            await self.notify(site, "One")
            position = await self.hear(alice, "server 1")
            await self.restart(probe, alice, self.notify(site, "Two"))
            alice = await self.arrive(f"?position={position}")
            await self.hear(alice, "server 2")
            await alice.silence()
            await alice.leave()

    def note(self, source: str, target: str, label: str) -> None:
        self.notes.append((source, target, label))

    async def arrive(self, query: str = "") -> Client:
        """Let Alice in, by TLS, at the server that nginx chooses."""
        alice = await enter(self.front, NOTIFICATIONS + query, token=token("alice"))
        greeting = await alice.receive()
        tls = alice.socket.transport.get_extra_info("ssl_object").version()
        if not query and await sockets_of(self.servers[1]):
            self.servers.reverse()
        server = "server 2" if query else "server 1"
        self.note(ALICE, NGINX, f"wss {NOTIFICATIONS}{'?position=…' if query else ''} by {tls}")
        self.note(NGINX, server, f"ws {NOTIFICATIONS}")
        recovered = ", recovered" if greeting["recovered"] else ""
        self.note(server, ALICE, f"{greeting['type']} at {greeting['offset']}{recovered}")
        return alice

    async def probe(self, http: httpx.AsyncClient) -> None:
        self.note(PROBE, "server 1", "GET /readyz")
        status, body = await readiness(http)
        self.note("server 1", PROBE, f"{status} {body['status']}")

    async def scrape(self) -> None:
        for name, server in zip(("server 1", "server 2"), self.servers, strict=True):
            self.note(PROMETHEUS, name, "GET /metrics")
            self.note(name, PROMETHEUS, f"200, sockets: {await sockets_of(server):.0f}")

    async def notify(self, site: httpx.AsyncClient, title: str) -> None:
        """Have Alice notify herself."""
        self.note(ALICE, NGINX, f"POST {NOTIFY} “{title}”")
        answer = await site.post(NOTIFY, json={"title": title}, headers=BEARER)
        self.note(NGINX, ALICE, f"{answer.status_code}")

    async def hear(self, alice: Client, server: str) -> str:
        """Read a notification, and return its position."""
        frame = await alice.receive()
        said = f"{frame['type']} “{frame['notification']['title']}” at {frame['offset']}"
        self.note(server, ALICE, said)
        return frame["position"]

    async def restart(self, probe, alice: Client, meanwhile) -> None:
        """Stop Alice's server, which another client delays, and see what it says until its end."""
        server = self.servers[0].life
        reader, writer = await deaf_socket(server)
        self.note(SYSTEMD, "server 1", "SIGTERM")
        server.process.terminate()
        await asyncio.wait_for(reader.readuntil(CLOSED_WITH_1012), PATIENCE)
        self.note("server 1", ALICE, f"close {await alice.closed()}")
        await self.probe(probe)
        await meanwhile
        writer.close()
        code = await asyncio.to_thread(server.process.wait, PATIENCE)
        self.note("server 1", SYSTEMD, f"exit {code}")

    async def log(self) -> list[list[str]]:
        """Return what nginx has written of Alice's handshakes, when both sockets have ended."""
        await eventually(lambda: len(HANDSHAKE.findall(self.front.log("access.log"))) == 2)
        names = {f"127.0.0.1:{each.port}": f"server {n}" for n, each in enumerate(self.servers, 1)}
        found = HANDSHAKE.findall(self.front.log("access.log"))
        return [[path, status, names[address]] for path, status, address in found]


async def sockets_of(server: AppServer) -> float:
    return (await samples(server.life)).get(SOCKETS, 0)
