"""What each kind of fault does to the parts of a run."""

import asyncio
import signal
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable
from typing import NamedTuple

from tests.laboratory.child import Child
from tests.laboratory.hand import Hand
from tests.laboratory.proxy import Proxy
from tests.laboratory.schedules import Fault, Schedule
from tests.wire.parts import AppServer, RedisProcess

# Bytes of a row that cannot be sent: Daphne sends no more than 1 MiB at a time.
TOO_LARGE = 2_000_000


class Span(NamedTuple):
    """When a fault happened."""

    began: float
    ended: float


class ServerFaults:
    """Lets faults happen; what is hit works again when a fault has ended."""

    def __init__(self, servers: list[AppServer]):
        self.servers = servers
        # A part that still starts again is not hit by the next fault.
        self.turns = defaultdict(asyncio.Lock)
        self.spans: dict[Fault, Span] = {}

    async def happen(self, schedule: Schedule) -> None:
        """Let all faults of a schedule happen, each in its time."""
        async with asyncio.TaskGroup() as tasks:
            for fault in schedule.faults:
                tasks.create_task(self.happen_in_time(fault))

    async def happen_in_time(self, fault: Fault) -> None:
        await asyncio.sleep(fault.at)
        async with self.turns[fault.part, fault.server]:
            began = time.time()
            await getattr(self, fault.kind)(fault)
            self.spans[fault] = Span(began, time.time())

    # Starting a process blocks, so it is done in a thread: the proxies live in this loop.

    async def kill_server(self, fault: Fault) -> None:
        server = self.servers[fault.server]
        await asyncio.to_thread(server.kill)
        await asyncio.sleep(fault.seconds)
        await asyncio.to_thread(server.start)

    async def stop_server(self, fault: Fault) -> None:
        server = self.servers[fault.server]
        await asyncio.to_thread(server.stop)
        await asyncio.sleep(fault.seconds)
        await asyncio.to_thread(server.start)

    async def freeze_server(self, fault: Fault) -> None:
        self.servers[fault.server].freeze()
        await asyncio.sleep(fault.seconds)
        self.servers[fault.server].thaw()


class Faults(ServerFaults):
    """All faults of a run on one machine."""

    def __init__(
        self,
        redis: RedisProcess,
        servers: list[AppServer],
        proxies: list[Proxy],
        link: Proxy,
        hand: Hand,
        start_sender: Callable[..., Awaitable[Child]],
    ):
        super().__init__(servers)
        self.redis, self.proxies, self.link = redis, proxies, link
        self.hand, self.start_sender = hand, start_sender

    async def kill_redis(self, fault: Fault) -> None:
        await asyncio.to_thread(self.redis.kill)
        await asyncio.sleep(fault.seconds)
        await asyncio.to_thread(self.redis.start)

    async def freeze_redis(self, fault: Fault) -> None:
        self.redis.freeze()
        await asyncio.sleep(fault.seconds)
        self.redis.thaw()

    async def flush_redis(self, fault: Fault) -> None:
        await asyncio.to_thread(self.redis.flush)

    async def cut_network(self, fault: Fault) -> None:
        await asyncio.gather(*(proxy.cut(fault.seconds) for proxy in self.proxies))

    async def swallow_network(self, fault: Fault) -> None:
        await asyncio.gather(*(proxy.swallow(fault.seconds) for proxy in self.proxies))

    async def stall_network(self, fault: Fault) -> None:
        await asyncio.gather(*(proxy.stall(fault.seconds) for proxy in self.proxies))

    async def slow_network(self, fault: Fault) -> None:
        await asyncio.gather(*(proxy.slow_down(fault.seconds) for proxy in self.proxies))

    async def half_close_network(self, fault: Fault) -> None:
        await asyncio.gather(*(proxy.half_close() for proxy in self.proxies))

    async def cut_link(self, fault: Fault) -> None:
        await self.link.cut(fault.seconds)

    async def swallow_link(self, fault: Fault) -> None:
        await self.link.swallow(fault.seconds)

    async def stall_link(self, fault: Fault) -> None:
        await self.link.stall(fault.seconds)

    async def slow_link(self, fault: Fault) -> None:
        await self.link.slow_down(fault.seconds)

    async def kill_sender(self, fault: Fault) -> None:
        sender = await self.start_sender("die")
        assert await sender.end() == -signal.SIGKILL, sender.log.read_text()

    async def hold_sender(self, fault: Fault) -> None:
        sender = await self.start_sender("hold")
        assert await sender.word() == "held"
        await asyncio.sleep(fault.seconds)
        sender.tell("commit")
        await succeed(sender)

    async def cross_sender(self, fault: Fault) -> None:
        """Two senders send to the same streams, one of them in the opposite order."""
        senders = await asyncio.gather(
            self.start_sender("cross"), self.start_sender("cross", backwards=True)
        )
        for sender in senders:
            assert await sender.word() == "ready"
        for sender in senders:
            sender.tell("go")
        await asyncio.gather(*map(succeed, senders))

    async def misdate_sender(self, fault: Fault) -> None:
        await succeed(await self.start_sender("misdate"))

    async def restore_database(self, fault: Fault) -> None:
        """The state that it goes back to is that of the fault's beginning."""
        await self.hand.order("copy")
        await asyncio.sleep(fault.seconds)
        await self.hand.order("restore")

    async def plant_row(self, fault: Fault) -> None:
        await self.hand.order(f"plant hall {TOO_LARGE}")


async def succeed(sender: Child) -> None:
    assert await sender.end() == 0, sender.log.read_text()
