"""A whole site, with four servers on two machines behind nginx, and what they need.

The engines are a PostgreSQL, and a Redis of two shards, each with a replica, that three Sentinels
watch. They and nginx are on this machine, as the publisher and the readers are.
"""

import asyncio
import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tests.laboratory.faults import ServerFaults
from tests.laboratory.laboratory import Laboratory
from tests.laboratory.machines import Machine, machines
from tests.laboratory.schedules import Fault, Schedule
from tests.laboratory.stacks import Stack
from tests.wire.nginx import nginx
from tests.wire.parts import AppServer, Sentinels
from tests.wire.postgresql import PostgreSQL, own_postgresql
from tests.wire.servers import eventually

PASSWORD = "trial"
SHARDS = ("main", "other")
SERVERS_EACH = 2

STACK = Stack(
    "realtime.server",
    servers=2 * SERVERS_EACH,
    senders="tests.laboratory.patient_senders",
)

# What is changed in the shipped files: readers connect without TLS, and by address.
PLAIN = {
    "server_name app.example.com;\n    return 308 https://app.example.com$request_uri;": """
    server_name 127.0.0.1;
    location / {
        include snippets/reference-app-proxy.conf;
        proxy_pass http://reference_app;
    }"""
}


class Site(NamedTuple):
    """What the servers of a site need. PostgreSQL and Redis are on this machine."""

    machines: list[Machine]
    postgresql: PostgreSQL
    sentinels: Sentinels

    @property
    def environment(self) -> dict[str, str]:
        return {
            "DATABASE_URL": self.postgresql.url,
            "REDIS_URL": ",".join(f"redis://:{PASSWORD}@{name}/0" for name in SHARDS),
            "REDIS_SENTINELS": self.sentinels.addresses,
            "CELERY_BROKER_URL": "memory://",
            # The servers and nginx are not on one machine.
            "LOCAL_NETWORK": "1",
        }


@contextlib.contextmanager
def site(folder: Path) -> Iterator[Site]:
    """Start two machines, PostgreSQL, Redis and the Sentinels."""
    with machines(2) as made, own_postgresql(address=made[0].host) as postgresql:
        sentinels = Sentinels(folder, PASSWORD, SHARDS, made[0].host)
        try:
            sentinels.start()
            yield Site(made, postgresql, sentinels)
        finally:
            sentinels.kill()


class RemoteServer(AppServer):
    """A server on another machine."""

    def __init__(self, machine: Machine, **environment: str):
        super().__init__(STACK.server, STACK.application, **environment)
        self.command = [machine.address if word == "127.0.0.1" else word for word in self.command]
        self.prefix = machine.prefix
        self.place = f"{machine.address}:{self.port}"


class SiteFaults(ServerFaults):
    """Faults of a site's servers and of what they need."""

    def __init__(self, site: Site, servers: list[AppServer]):
        super().__init__(servers)
        self.site = site

    async def failover_redis(self, fault: Fault) -> None:
        """A shard's master dies; the fault has ended when the Sentinels name its replica."""
        sentinels, name = self.site.sentinels, SHARDS[fault.server]
        before = sentinels.master(name)
        sentinels.redis[name][0].kill()
        await eventually(lambda: sentinels.master(name) != before)

    async def restart_postgresql(self, fault: Fault) -> None:
        await asyncio.to_thread(self.site.postgresql.stop)
        await asyncio.sleep(fault.seconds)
        await asyncio.to_thread(self.site.postgresql.start)

    async def cut_off_machine(self, fault: Fault) -> None:
        machine = self.site.machines[fault.server]
        machine.cut()
        await asyncio.sleep(fault.seconds)
        machine.connect()


class SiteLaboratory(Laboratory):
    """A run on a site; readers connect to nginx."""

    def __init__(self, site: Site, environment: dict[str, str], schedule: Schedule):
        self.site = site
        super().__init__(environment, STACK, schedule)

    def make_parts(self) -> None:
        self.servers = [
            RemoteServer(machine, **self.environment)
            for machine in self.site.machines
            for _ in range(SERVERS_EACH)
        ]
        self.faults = SiteFaults(self.site, self.servers)

    async def start_parts(self) -> None:
        addresses = [server.place for server in self.servers]
        (folder := self.folder / "nginx").mkdir()
        self.front = self.held.enter_context(nginx(folder, addresses, changed=PLAIN))

    @property
    def ports(self) -> list[int]:
        return [self.front.http]

    async def perform(self) -> None:
        await eventually(self.site.sentinels.is_watched)
        await super().perform()
