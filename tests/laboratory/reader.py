"""One reader of a run: a user who wants to miss nothing."""

import asyncio
import json
import random
import re
import socket
import time

from realtime.protocol.close_codes import CloseCode
from tests.laboratory.audience import Seat
from tests.laboratory.light_client import LightClient, handshake

# Seconds to stay away before coming back, at random up to so many, and twice as many each time.
# Without the doubling, a server that cannot greet all in time is asked by all for ever.
SHORTEST, LONGEST = 0.4, 6

# Seconds that a server may take to greet; then the reader tries again.
HANDSHAKE = 8

# Bytes that the kernel may take for one who will stop reading; by itself it takes more and more for
# one who reads fast, on some machines 32 MB, and the server would notice nothing.
WHILE_STALLED = 2**18

NUMBERED = re.compile(
    rb'"stream": "([^"]+)", "number": (\d+)\}(?:, "offset": (\d+), "position": "([^"]+)"\})?'
)
GREETING = b'{"type": "connection.established"'
OMITTED = b'{"type": "entry.omitted"'


class Reader:
    """One user who wants to miss nothing."""

    def __init__(self, seat: Seat, token: str, ports: list[int], *, resumes: bool, history):
        self.seat, self.token, self.history = seat, token, history
        self.ports, self.resumes = ports, resumes
        self.chance = random.Random(seat.reader)
        self.visits, self.failures = seat.reader, 0
        self.offset: int | None = None
        self.position: str | None = None
        # Events that were new to this reader.
        self.new, self.last_at = 0, 0.0
        self.greeted = asyncio.Event()
        self.client: LightClient | None = None
        self.stays_away = False
        # After so many events it stops reading.
        self.stalls_after: int | None = None

    def note(self, did: str, **what) -> None:
        line = {"did": did, "reader": self.seat.reader, "at": time.time(), **what}
        self.history.write(json.dumps(line) + "\n")

    async def live(self) -> None:
        """Read, and come back for as long as that can help."""
        while not self.stays_away:
            code = await self.visit()
            self.note("closed", code=code)
            self.stays_away = not comes_back(code)
            self.failures = 0 if self.greeted.is_set() else self.failures + 1
            await asyncio.sleep(self.chance.uniform(0, self.longest_absence))

    @property
    def longest_absence(self) -> float:
        return min(LONGEST, SHORTEST * 2**self.failures)

    async def visit(self) -> int | None:
        """Connect once, to each server in turn; return the close code, None where nobody was."""
        port = self.ports[self.visits % len(self.ports)]
        self.visits += 1
        self.note("connecting", port=port)
        self.greeted.clear()
        loop = asyncio.get_running_loop()
        request = handshake(self.path(), self.token)
        try:
            transport, self.client = await loop.create_connection(
                lambda: LightClient(request, self.take), "127.0.0.1", port
            )
        except OSError:
            return None
        if self.stalls_after is not None:
            own = transport.get_extra_info("socket")
            own.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, WHILE_STALLED)
        try:
            async with asyncio.timeout(HANDSHAKE) as patience:
                greeted = asyncio.create_task(self.greeted.wait())
                await asyncio.wait(
                    [greeted, self.client.closed], return_when=asyncio.FIRST_COMPLETED
                )
                greeted.cancel()
                patience.reschedule(None)
                return await self.client.closed
        except TimeoutError:
            return None
        finally:
            transport.abort()

    def path(self) -> str:
        if not self.resumes or self.position is None:
            return self.seat.path
        return f"{self.seat.path}?position={self.position}"

    def take(self, text: bytes) -> None:
        if found := NUMBERED.search(text):
            self.take_event(*found.groups())
        elif text.startswith(GREETING):
            self.take_greeting(json.loads(text))
        elif text.startswith(OMITTED):
            self.take_omitted(json.loads(text))

    def take_event(
        self, stream: bytes, number: bytes, offset: bytes | None, position: bytes | None
    ) -> None:
        self.last_at = time.time()
        # By hand: json.dumps of 20,000 lines a second would be felt.
        place = f'{int(offset)}, "position": "{position.decode()}"' if offset else "null"
        self.history.write(
            f'{{"did": "frame", "reader": {self.seat.reader}, "at": {self.last_at},'
            f' "stream": "{stream.decode()}", "number": {int(number)}, "offset": {place}}}\n'
        )
        if offset is None:
            self.new += 1
        elif int(offset) > self.offset:
            self.new += 1
            self.offset, self.position = int(offset), position.decode()
        if self.new == self.stalls_after:
            self.stall()

    def take_omitted(self, frame: dict) -> None:
        self.last_at = time.time()
        place = {key: frame[key] for key in ("offset", "position")}
        self.note("omitted", **place, size=frame["size"])
        if place["offset"] > self.offset:
            self.offset, self.position = place["offset"], place["position"]

    def take_greeting(self, greeting: dict) -> None:
        place = {key: greeting.get(key) for key in ("offset", "position", "recovered")}
        self.note("established", **place)
        if not place["recovered"]:
            self.offset, self.position = place["offset"], place["position"]
        self.greeted.set()

    def stall(self) -> None:
        self.stalls_after = None
        self.client.transport.pause_reading()
        say("stalled")

    def has_all(self, ends: dict[str, int | str]) -> bool:
        """Whether it has read up to the end of its stream: a position, or a number of events."""
        end = ends.get(self.seat.stream, 0)
        return self.stays_away or (
            self.position == end if isinstance(end, str) else self.new >= end
        )


def say(word: str) -> None:
    print(word, flush=True)


def comes_back(code: int | None) -> bool:
    """Whether a client may come back after this close code; None: the server was not there."""
    if code is None:
        return True
    try:
        return CloseCode(code).reconnect
    except ValueError:
        return code < 4500
