"""The clients of the bench, all in a process of their own, which does what it is told.

    python -m tests.bench.crowd port tokens.json

Client number n has the n-th token.
"""

import asyncio
import json
import random
import re
import statistics
import sys
import time
from pathlib import Path

from tests.bench.orders import obey
from tests.laboratory.light_client import TEXT, LightClient, handshake, masked
from tests.laboratory.reader import LONGEST, SHORTEST

# Seconds in which a client is greeted, or comes back.
PATIENCE = 10

ORDERS = "open storm expect all shout time percentile stall closed leave".split()

SENT_AT = re.compile(rb'"sent_at": ([\d.]+)')


class Member:
    """One client of the crowd."""

    def __init__(self, crowd: "Crowd", path: str, token: str):
        self.crowd, self.request = crowd, handshake(path, token)
        self.greeted, self.visits = asyncio.Event(), 0
        self.client: LightClient | None = None

    async def visit(self, port: int) -> bool:
        """Connect once, and return whether a greeting came."""
        self.visits += 1
        loop = asyncio.get_running_loop()
        try:
            _, self.client = await loop.create_connection(
                lambda: LightClient(self.request, self.take), "127.0.0.1", port
            )
            greeting = asyncio.ensure_future(self.greeted.wait())
            await asyncio.wait(
                [greeting, self.client.closed],
                timeout=PATIENCE,
                return_when=asyncio.FIRST_COMPLETED,
            )
            greeting.cancel()
        except OSError:
            return False
        return self.greeted.is_set()

    def take(self, text: bytes) -> None:
        if self.greeted.is_set():
            self.crowd.count(text)
        elif b"connection.established" in text:
            self.greeted.set()

    def leave(self) -> None:
        if self.client:
            self.client.transport.abort()


class Crowd:
    """Everybody, and what they have received together."""

    def __init__(self, port: int, tokens: list[str]):
        self.port, self.tokens = port, tokens
        self.members: list[Member] = []
        self.received, self.last_at, self.goal = 0, 0.0, 0
        self.reached = asyncio.Event()
        self.latencies: list[float] | None = None

    def count(self, text: bytes) -> None:
        self.received += 1
        if self.latencies is not None and (found := SENT_AT.search(text)):
            self.latencies.append(time.time() - float(found[1]))
        self.last_at = time.time()
        if self.received == self.goal:
            self.reached.set()

    # Orders

    async def open(self, number: int, path: str, at_once: int) -> dict:
        """Let so many more come, some at a time; answers how many were greeted."""
        turn = asyncio.Semaphore(at_once)
        start = len(self.members)
        new = [Member(self, path, token) for token in self.tokens[start : start + number]]
        self.members += new

        async def come(member: Member) -> bool:
            async with turn:
                # Some are lost at the door: Daphne's queue of new connections has 50 places.
                return await member.visit(self.port) or await member.visit(self.port)

        begin = time.monotonic()
        greeted = await asyncio.gather(*map(come, new))
        return {"greeted": sum(greeted), "seconds": time.monotonic() - begin}

    async def storm(self, number: int, path: str, seconds: float) -> dict:
        """Let all come at once, and come back until they are greeted, or time is over."""
        new = [Member(self, path, token) for token in self.tokens[:number]]
        self.members += new
        begin, chance, first, after = time.monotonic(), random.Random(1), [], []

        async def come(member: Member) -> None:
            first.append(await member.visit(self.port))
            while not member.greeted.is_set():
                await asyncio.sleep(chance.uniform(0, min(LONGEST, SHORTEST * 2**member.visits)))
                await member.visit(self.port)
            after.append(time.monotonic() - begin)

        comers = [asyncio.ensure_future(come(member)) for member in new]
        await asyncio.wait(comers, timeout=seconds)
        for comer in comers:
            comer.cancel()
        return {"at_first": sum(first), "greeted": len(after), "seconds": max(after, default=0)}

    async def expect(self, messages: int) -> dict:
        """Count from now on, until so many messages have come to all together."""
        self.received, self.goal = 0, messages
        self.reached.clear()
        return {}

    async def all(self, silence: float) -> dict:
        """Wait until what is expected is there, or nothing comes for so many seconds."""
        while not self.reached.is_set():
            before = self.received
            try:
                await asyncio.wait_for(self.reached.wait(), silence)
            except TimeoutError:
                if self.received == before:
                    break
        return {"received": self.received, "last_at": self.last_at}

    async def shout(self, text: str) -> dict:
        """Have the first client say something: the bare application sends it to all."""
        data = text.encode()
        head = masked(TEXT, b"")[:1] + bytes([0x80 | 126]) + len(data).to_bytes(2, "big") + bytes(4)
        self.members[0].client.transport.write(head + data)
        return {}

    async def time(self) -> dict:
        """Measure from now on how long each message has been on its way."""
        self.latencies = []
        return {}

    async def percentile(self, percent: int) -> dict:
        """Return how many seconds that part of the messages took at most, of what was measured."""
        taken, self.latencies = self.latencies, None
        return {"seconds": statistics.quantiles(taken, n=100)[percent - 1]}

    async def stall(self, member: int) -> dict:
        """Have one client read no more."""
        self.members[member].client.transport.pause_reading()
        return {}

    async def closed(self) -> dict:
        """Wait until the server has closed everybody; answers the codes."""
        return {"codes": await asyncio.gather(*(m.client.closed for m in self.members))}

    async def leave(self) -> dict:
        for member in self.members:
            member.leave()
        self.members = []
        return {}


def main(port: str, tokens_path: str) -> None:
    crowd = Crowd(int(port), json.loads(Path(tokens_path).read_text()))
    obey({name: getattr(crowd, name) for name in ORDERS})


if __name__ == "__main__":
    main(*sys.argv[1:])
