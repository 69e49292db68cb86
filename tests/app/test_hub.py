"""Under every interleaving a client ends with the complete sequence, in order, or is told."""

import asyncio
import itertools

import pytest
from django.db import connection
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from realtime.delivery import feed as feed_module
from realtime.delivery import hub as hub_module
from realtime.delivery import outbox, statements
from realtime.delivery.cursor import Cursor
from realtime.delivery.hub import Hub
from realtime.delivery.resume import resume
from realtime.delivery.streams import messages_of, position, prune
from realtime.delivery.writer import Writer
from realtime.protocol import frames
from realtime.tests.test_streams import LONG
from tests.lanes import in_full

pytestmark = pytest.mark.django_db(transaction=True)

indexes = st.integers(0, 9)
names = (f"stream {number}" for number in itertools.count())


class DeafSubscriber:
    """A layer that nothing comes from: the test hands the hub what is to be heard."""

    def __init__(self, *args):
        pass

    async def join(self, group):
        await asyncio.sleep(0)

    async def join_again(self, groups):
        pass

    leave = join

    async def stop(self):
        pass


class Client:
    """A socket of one stream, as the hub sees it: it reads, or does not, or is cut."""

    user_id = "reader"

    def __init__(self, hub: Hub, name: str):
        self.hub, self.name = hub, name
        self.reads = asyncio.Event()
        self.reads.set()
        # What the model expects: everything after this position, which it has read in part.
        self.start, self.received = None, []
        self.is_closing, self.connecting = True, None

    def connect(self) -> None:
        if self.is_closing:
            self.is_closing = False
            self.cursor = Cursor(self, Writer(self.send))
            self.connecting = asyncio.create_task(self.join())

    async def join(self) -> None:
        feed = await self.hub.enter(self.name, self.cursor)
        query = f"position={self.position}" if self.start else ""
        begin = await resume(feed, query.encode())
        if not begin.recovered:
            self.start, self.received = begin, []
        assert begin.place.offset == self.last
        self.cursor.follow(begin.place)

    @property
    def last(self) -> int:
        return self.start.place.offset + len(self.received)

    @property
    def position(self) -> str:
        if self.received:
            return frames.parse(self.received[-1])["position"]
        return str(self.start.place)

    async def send(self, event) -> None:
        await self.reads.wait()
        assert not self.is_closing
        self.received.append(event["text"])

    def end(self, refusal) -> None:
        self.is_closing = True
        self.cursor.stop()

    async def cut(self) -> None:
        if self.connecting:
            self.end(None)
            self.connecting.cancel()
            await asyncio.wait([self.connecting])
            await self.hub.leave(self.cursor)
            self.connecting = None


class Interleavings(RuleBasedStateMachine):
    """Append, publish, drop, join, cut and resume in any order; a model that is a list."""

    def __init__(self):
        super().__init__()
        self.runner = asyncio.Runner()
        self.hub = Hub()
        self.name = next(names)
        position(self.name)
        # The hub completes what dead senders left, and tells the layer, which is this model.
        Interleavings.current = self
        self.numbers = itertools.count()
        self.appended: list[str] = []
        self.messages: list[dict] = []
        self.clients: list[Client] = []

    def run(self, coroutine):
        return self.runner.run(coroutine)

    @rule()
    def append(self):
        """Send a frame, which comes after those of dead senders."""
        self.add(outbox.append([self.frame()]))

    @rule()
    def die(self):
        """Commit a frame, and die before it has a place."""
        statements.add_pending(connection, [self.frame()])

    @rule()
    def complete(self):
        self.add(outbox.flush_abandoned())

    def frame(self) -> outbox.Outgoing:
        return outbox.Outgoing(self.name, frames.encode_entry({"n": next(self.numbers)}))

    def add(self, entries) -> None:
        self.hold(messages_of(entries))

    def hold(self, messages) -> None:
        """Hold messages back, which the layer may lose or deliver in another order."""
        self.appended += [message["text"] for _, message in messages]
        self.messages += [message for _, message in messages]

    @rule(index=indexes, again=st.booleans())
    def publish(self, index, again):
        if self.messages:
            message = self.messages[index % len(self.messages)]
            self.run(self.hub.on_message(message))
            if not again:
                self.messages.remove(message)

    @rule(index=indexes)
    def drop(self, index):
        if self.messages:
            del self.messages[index % len(self.messages)]

    @rule()
    def join(self):
        async def join():
            self.clients.append(Client(self.hub, self.name))
            self.clients[-1].connect()

        self.run(join())

    @rule(index=indexes)
    def cut(self, index):
        if self.clients:
            self.run(self.client(index).cut())

    @rule(index=indexes)
    def resume(self, index):
        async def resume():
            if self.client(index).is_closing:
                await self.client(index).cut()
                self.client(index).connect()

        if self.clients:
            self.run(resume())

    @rule(index=indexes)
    def stall_or_read_on(self, index):
        if self.clients:
            reads = self.client(index).reads
            reads.clear() if reads.is_set() else reads.set()

    @rule(keep=st.integers(0, 3))
    def prune(self, keep):
        prune(keep, LONG)

    @rule()
    def check_tails(self):
        self.run(self.compare())

    @rule(turns=st.integers(1, 20))
    def let_others_run(self, turns):
        async def take_turns():
            for _ in range(turns):
                await asyncio.sleep(0.0005)

        self.run(take_turns())

    def client(self, index) -> Client:
        return self.clients[index % len(self.clients)]

    async def compare(self):
        if self.hub.subscriber:
            await self.hub._compare([feed for feed in self.hub.feeds.values() if feed.is_open])

    def teardown(self):
        try:
            self.add(outbox.flush_abandoned())
            self.run(self.come_to_the_end())
            assert [frames.parse(text)["offset"] for text in self.appended] == [
                *range(1, len(self.appended) + 1)
            ]
            for client in self.clients:
                assert client.received == self.appended[client.start.place.offset :]
        finally:
            self.run(self.leave())
            self.runner.close()

    async def come_to_the_end(self):
        """All read on, whoever was ended comes back, tails are checked; nothing is published."""
        for client in self.clients:
            client.reads.set()
        async with asyncio.timeout(10):
            while not all(self.is_complete(client) for client in self.clients):
                for client in self.clients:
                    if client.is_closing:
                        await client.cut()
                        client.connect()
                    elif client.connecting.done():
                        client.connecting.result()
                await self.compare()
                await asyncio.sleep(0.001)

    def is_complete(self, client) -> bool:
        return not client.is_closing and client.start and client.last >= len(self.appended)

    async def leave(self):
        for client in self.clients:
            await client.cut()


@pytest.mark.parametrize("examples", [10, *in_full([60])])
def test_every_interleaving_ends_in_the_complete_sequence(monkeypatch, examples):
    monkeypatch.setattr(hub_module, "GroupSubscriber", DeafSubscriber)
    monkeypatch.setattr(feed_module, "REORDER_WINDOW", 0)
    monkeypatch.setattr(
        hub_module, "publish", lambda messages: Interleavings.current.hold(messages)
    )
    run_state_machine_as_test(
        Interleavings,
        settings=settings(
            max_examples=examples,
            stateful_step_count=40,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow],
        ),
    )
