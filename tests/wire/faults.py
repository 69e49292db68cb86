"""What each kind of fault does to the parts of a run."""

import asyncio
from collections import defaultdict

from tests.wire.parts import AppServer, RedisProcess
from tests.wire.proxy import Proxy
from tests.wire.schedules import Fault, Schedule


class Faults:
    """Lets faults happen; what is hit works again when a fault has ended."""

    def __init__(self, redis: RedisProcess, servers: list[AppServer], proxies: list[Proxy]):
        self.redis, self.servers, self.proxies = redis, servers, proxies
        # A part that still starts again is not hit by the next fault.
        self.turns = defaultdict(asyncio.Lock)

    async def happen(self, schedule: Schedule) -> None:
        """Let all faults of a schedule happen, each in its time."""
        async with asyncio.TaskGroup() as tasks:
            for fault in schedule.faults:
                tasks.create_task(self.happen_in_time(fault))

    async def happen_in_time(self, fault: Fault) -> None:
        await asyncio.sleep(fault.at)
        async with self.turns[fault.part, fault.server]:
            await getattr(self, fault.kind)(fault)

    # Starting a process blocks, so it is done in a thread: the proxies live in this loop.

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
