"""Everything that clients do to a server, a little of each, for as long as it is wanted.

    python -m tests.bench.mixed_load port tokens.json

The residents stay, and count what they receive: nothing may be lost to them. All others come and
go. The work is spread over many users, so that none of them meets a limit.
"""

import asyncio
import random
import sys
import time
import uuid
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress

import django
import httpx

from tests.bench.guest import PATIENCE, Guest
from tests.bench.orders import obey
from tests.laboratory.audience import ORGANIZATIONS
from tests.laboratory.light_client import TEXT, masked

HALL, SIDE = ORGANIZATIONS["hall"], ORGANIZATIONS["side"]
EVENTS, NOTIFICATIONS = f"/ws/events/{HALL}/", "/ws/notifications/"
RESOURCES = f"/api/organizations/{HALL}/resources/"

# Residents of both kinds together, and all users.
RESIDENTS, USERS = 40, 400

# Seconds between two pings of a resident, and about how many until it leaves and comes back.
PING_EVERY, STAY = 10, 90

# Longest rest of a visitor, and of a client that reads nothing, in seconds.
REST, PAUSE = 1, 20


class Load:
    """The clients of one server."""

    def __init__(self, port: int):
        self.port = port
        self.chance = random.Random(17)
        self.done: Counter[str] = Counter()
        self.failures: list[str] = []
        self.residents: list[Resident] = []
        self.tasks: set[asyncio.Task] = set()
        # uvicorn closes what is idle for five seconds, perhaps while a request is on its way.
        limits = httpx.Limits(keepalive_expiry=2)
        base_url = f"http://127.0.0.1:{port}"
        self.http = httpx.AsyncClient(base_url=base_url, timeout=PATIENCE, limits=limits)

    # Orders

    async def begin(self, pace: float) -> dict:
        """Let the residents come, and then all others, each kind so many times as often."""
        for number in range(RESIDENTS):
            path = EVENTS if number % 2 else NOTIFICATIONS
            resident = Resident(self, path, subject(number))
            await resident.settle()
            self.residents.append(resident)
            self.start(resident.live())
        for kind, often in EVERYTHING.items():
            self.start(self.again_and_again(kind, often * pace))
        return {}

    async def end(self) -> dict:
        """Stop, and say what was done, what went wrong, and what the residents have received."""
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        await asyncio.gather(*(resident.catch_up() for resident in self.residents))
        return {
            "done": dict(self.done),
            "failures": self.failures,
            "received": sum(resident.received for resident in self.residents),
            "lost": sum(resident.lost for resident in self.residents),
        }

    # The work

    def start(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self.tasks.add(task)
        task.add_done_callback(self.ended)

    def ended(self, task: asyncio.Task) -> None:
        self.tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            self.failures.append(repr(error))

    async def again_and_again(self, kind: Callable, often: float) -> None:
        """Do something so often in a second, at random times."""
        while True:
            await asyncio.sleep(self.chance.expovariate(often))
            self.start(kind(self))
            self.done[kind.__name__] += 1

    def someone(self) -> str:
        return subject(self.chance.randrange(RESIDENTS, USERS))

    async def enter_at_last(self, path: str, subject: str) -> tuple[Guest, dict]:
        """Come again until the server lets the client in."""
        while True:
            if entered := await self.enter(path, subject):
                return entered
            await asyncio.sleep(1)

    async def enter(self, path: str, subject: str) -> tuple[Guest, dict] | None:
        """Return a client that was let in, and its greeting.

        None stands for one that was told to come back later, which a busy machine is reason for.
        """
        guest = Guest(self.port, path, token_of(subject))
        greeting = await guest.come()
        if greeting is None or greeting.get("code") == 4104:
            self.done["turned away"] += 1
            return None
        self.expect(greeting["type"], "connection.established", f"entering {path}")
        return guest, greeting

    def expect(self, what: object, wanted: object, doing: str) -> None:
        if what != wanted:
            self.failures.append(f"{doing}: {what!r:.200} instead of {wanted!r}")


class Resident:
    """A user who stays on a stream, resumes it where it broke off, and counts what is lost."""

    def __init__(self, load: Load, path: str, subject: str):
        self.load, self.path, self.subject = load, path, subject
        self.received, self.lost, self.offset = 0, 0, 0
        self.first = self.position = ""

    async def settle(self) -> None:
        query = f"?position={self.position}" if self.position else ""
        self.guest, greeting = await self.load.enter_at_last(self.path + query, self.subject)
        if query:
            return self.load.expect(greeting.get("recovered"), True, "resuming")
        self.offset, self.position = greeting["offset"], greeting["position"]
        self.first = self.position

    async def live(self) -> None:
        """Hear, ping, take a new token, and come back after a while, for ever."""
        while True:
            until = time.monotonic() + self.load.chance.uniform(0.5, 1.5) * STAY
            self.guest.say({"type": "token.refresh", "token": token_of(self.subject)})
            while time.monotonic() < until:
                self.guest.say({"type": "ping", "timestamp": time.time()})
                await self.hear_for(PING_EVERY)
            if self.load.chance.random() < 0.5:
                self.guest.vanish()
            else:
                await self.guest.leave()
            await self.come_back()

    async def hear_for(self, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while frame := await self.guest.frames.get():
                    self.take(frame)
        if not self.guest.is_open:
            self.load.failures.append(f"A resident was closed: {self.guest.client.closed.result()}")
            await self.come_back()

    async def come_back(self) -> None:
        while not self.guest.frames.empty():
            self.take(self.guest.frames.get_nowait() or {})
        await self.settle()

    def take(self, frame: dict) -> None:
        if "offset" not in frame or frame["offset"] <= self.offset:
            return  # what comes a second time is allowed
        self.received += 1
        self.lost += frame["offset"] - self.offset - 1
        self.offset, self.position = frame["offset"], frame["position"]

    async def catch_up(self) -> None:
        """Hear what is left, up to where the stream is for a client that comes now."""
        newcomer, greeting = await self.load.enter_at_last(self.path, self.subject)
        newcomer.vanish()
        if not self.guest.is_open:
            await self.come_back()
        while self.offset < greeting["offset"] and (frame := await self.guest.hear()):
            self.take(frame)
        self.lost += max(0, greeting["offset"] - self.offset)
        self.guest.vanish()


def subject(number: int) -> str:
    return f"reader-{number}"


def token_of(subject: str, lifespan: int = 300, **claims) -> str:
    """Return a new token, as an issuer gives one to each page that is opened."""
    from devrealm.issue import access_token

    return access_token("alice", lifespan, sub=subject, **claims)


async def visit(load: Load) -> None:
    """Open a page, ping, perhaps take a new token, and leave, half of the time without a word."""
    user = load.someone()
    entered = await load.enter(load.chance.choice([EVENTS, NOTIFICATIONS]), user)
    if not entered:
        return
    guest, _ = entered
    for _ in range(load.chance.randrange(3)):
        await asyncio.sleep(load.chance.random() * REST)
        guest.say({"type": "ping", "timestamp": 1})
        load.expect((await guest.answer("pong") or {}).get("timestamp"), 1, "pinging")
    if load.chance.random() < 0.3:
        guest.say({"type": "token.refresh", "token": token_of(user)})
        load.expect(bool(await guest.answer("token.refreshed")), True, "refreshing a token")
    if load.chance.random() < 0.5:
        return guest.vanish()
    load.expect(await guest.leave(), 1000, "leaving")


async def resume(load: Load) -> None:
    """Come back with a position that is some time old."""
    resident = load.chance.choice(load.residents)
    path = f"{resident.path}?position={resident.position}"
    if entered := await load.enter(path, resident.subject):
        load.expect(entered[1].get("recovered"), True, "resuming")
        entered[0].vanish()


async def be_refused(load: Load) -> None:
    """Come with a token that is no good, or to an organization that is not one's own."""
    user, strange = load.someone(), f"/ws/events/{load.chance.choice([SIDE, uuid.uuid4()])}/"
    path, token, code = load.chance.choice(
        [
            (EVENTS, "", 4001),
            (EVENTS, "nonsense", 4001),
            (EVENTS, token_of(user, lifespan=-60), 4001),
            (EVENTS, token_of(user, aud="another"), 4001),
            (strange, token_of(user), 4003),
        ]
    )
    guest = Guest(load.port, path, token)
    closing = await guest.come()
    if closing and closing.get("code") != 4104:
        load.expect(closing.get("code"), code, "being refused")
    await guest.ended()


async def knock(load: Load) -> None:
    """Open a connection, send half of a handshake or nothing, and be gone."""
    half = load.chance.choice([b"", b"GET /ws/notifications/ HTTP/1.1\r\nHost: 127"])
    _, writer = await asyncio.open_connection("127.0.0.1", load.port)
    writer.write(half)
    await asyncio.sleep(load.chance.random() * REST)
    writer.transport.abort()


async def babble(load: Load) -> None:
    """Send messages that mean nothing, or bytes that are no frame, until the server closes."""
    entered = await load.enter(NOTIFICATIONS, load.someone())
    if not entered:
        return
    guest, _ = entered
    if load.chance.random() < 0.3:
        guest.send(load.chance.choice([masked(TEXT, b"\xff\xfe"), b"\xff" * 10, b"\x81\x05hello"]))
    for _ in range(12):
        guest.say(load.chance.choice(["{", "[]", '{"type": "shout"}', "x" * 5_000, ""]))
    await guest.ended()


async def read_nothing(load: Load) -> None:
    """Resume all that has been since the beginning, and read none of it for a while."""
    resident = load.chance.choice(load.residents)
    path = f"{resident.path}?position={resident.first}"
    if entered := await load.enter(path, resident.subject):
        entered[0].stop_reading()
        await asyncio.sleep(load.chance.random() * PAUSE)
        entered[0].vanish()


async def notify(load: Load) -> None:
    """Post a notification to one of the residents who wait for some."""
    user = subject(2 * load.chance.randrange(RESIDENTS // 2))
    body = {"title": "x" * int(2 ** load.chance.uniform(4, 12))}
    await request(load, "POST", "/api/me/notifications/", user, 202, json=body)


async def create(load: Load) -> None:
    """Create a resource, of which a signal tells the organization."""
    body = {"name": uuid.uuid4().hex}
    await request(load, "POST", RESOURCES, load.someone(), 201, json=body)


async def look(load: Load) -> None:
    """Ask for what there is, without a token, or for what there is not."""
    path, user, status = load.chance.choice(
        [
            ("/api/me/", None, 401),
            ("/nowhere/", None, 404),
            ("/api/me/organizations/", load.someone(), 200),
        ]
    )
    await request(load, "GET", path, user, status)


async def request(load: Load, method: str, path: str, user: str | None, wanted: int, **body):
    headers = {"Authorization": f"Bearer {token_of(user)}"} if user else {}
    if load.chance.random() < 0.3:
        headers["Connection"] = "close"
    response = await load.http.request(method, path, headers=headers, **body)
    if response.status_code == 503:
        load.done["turned away"] += 1
    else:
        load.expect(response.status_code, wanted, f"{method} {path}")


# What is done, and how often in a second.
EVERYTHING: dict[Callable[[Load], Awaitable[None]], float] = {
    visit: 4,
    resume: 1,
    be_refused: 2,
    knock: 0.5,
    babble: 0.5,
    read_nothing: 0.1,
    notify: 2,
    create: 0.5,
    look: 1,
}


def main(port: str, _tokens: str) -> None:
    django.setup()
    loads: list[Load] = []

    async def begin(**details) -> dict:
        loads.append(Load(int(port)))  # not before there is an event loop
        return await loads[0].begin(**details)

    obey({"begin": begin, "end": lambda: loads[0].end()})


if __name__ == "__main__":
    main(*sys.argv[1:])
