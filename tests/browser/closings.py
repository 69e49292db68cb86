"""All that ends one of the page's sockets, brought about for real, and what the page does then."""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator, Callable
from typing import NamedTuple

from api.consumers import notification_for
from api.models import Membership
from classroom import Client, token
from demo.people import ORG_ID
from devrealm.accounts import PEOPLE
from realtime.conf import conf
from realtime.models import Identity
from realtime.senders import broadcast_many
from tests.browser.demo_page import SOCKETS, session, shows, status, url
from tests.browser.wiretap import LUCK, Wiretap, script
from tests.wire.parts import AppServer, RedisProcess
from tests.wire.servers import eventually

ALICE = PEOPLE["alice"].subject

# Bytes of each of so many frames for a page that does not read: the kernel and Chromium take some
# 12 MB between them before the server feels it. Then so many more may come.
SIZE, FLOOD, MAX_BEHIND = 60_000, 400, "20"

# What a status line says first where nothing is wrong, and last where the client will come back.
CALM = ("Connecting …", "Connected")
COUNTDOWN = re.compile(r" Reconnecting in (\d+) s\.")

# Milliseconds of a page's clock in which every client that comes back has done so.
LONG = 60_000


class Stage:
    """The app, its Redis, and Alice's page, twice: a client that waits little, and one that waits.

    `socket` names the one of her two that ends. The Redis is there where a cause may do it harm.
    """

    def __init__(self, app: AppServer, redis: RedisProcess | None, browser, socket: str):
        self.app, self.redis, self.browser, self.socket = app, redis, browser, socket
        self.taps: dict[str, Wiretap] = {}

    async def open(self) -> None:
        for luck in LUCK:
            page = await self.browser.new_page()
            await page.clock.install()
            await page.add_init_script(script(luck))
            await page.goto(url(self.app))
            self.taps[luck] = Wiretap(page, self.socket)

    async def enter(self) -> None:
        """Open both pages, and wait until Alice is connected."""
        await self.open()
        for tap in self.taps.values():
            for socket in SOCKETS:
                await shows(status(session(tap.page, "Alice"), socket), "Connected")

    async def each(self, act: Callable) -> None:
        for tap in self.taps.values():
            await act(tap)

    async def until(self, holds: Callable) -> None:
        """Wait until a coroutine function holds for both."""
        await self.each(lambda tap: eventually(lambda: holds(tap)))


# Causes: each opens the pages and makes it happen; what follows its `yield` mends it.


async def signed_out_elsewhere(stage: Stage) -> AsyncIterator[None]:
    await stage.enter()
    await stage.each(lambda tap: tap.page.evaluate(SIGN_OUT))
    yield


SIGN_OUT = """() => fetch("/demo/sign-out/", {
  method: "POST",
  headers: {Authorization: `Bearer ${wire.token}`},
}).then(answer => answer.status)"""


async def disabled(stage: Stage) -> AsyncIterator[None]:
    await stage.enter()
    identity = await Identity.objects.select_related("user").aget(subject=ALICE)
    identity.user.is_active = False
    await identity.user.asave()
    try:
        yield
    finally:
        identity.user.is_active = True
        await identity.user.asave()


async def left_the_organization(stage: Stage) -> AsyncIterator[None]:
    await stage.enter()
    membership = await Membership.objects.aget(user__token_identities__subject=ALICE)
    await membership.adelete()
    try:
        yield
    finally:
        await Membership.objects.acreate(user_id=membership.user_id, organization_id=ORG_ID)


async def redis_out_of_reach(stage: Stage) -> AsyncIterator[None]:
    stage.redis.kill()
    await stage.open()
    yield
    stage.redis.start()


async def too_busy_to_read(stage: Stage) -> AsyncIterator[None]:
    """A page has one thread; a request that is not asynchronous holds it until it is answered."""
    await stage.enter()
    answered = asyncio.Event()

    async def answer_late(route):
        await answered.wait()
        await route.fulfill(body="")

    async with asyncio.TaskGroup() as tasks:
        for tap in stage.taps.values():
            await tap.page.route("**/late", answer_late)
            tasks.create_task(tap.page.evaluate(HOLD_THE_THREAD))
        # A small flood, because the server waits 5 s at most for the page to read its last frame.
        padding = "x" * SIZE
        frames = [{"title": f"{number}", "padding": padding} for number in range(FLOOD)]
        await broadcast_many(notification_for(ALICE, frame) for frame in frames)
        answered.set()
    yield


HOLD_THE_THREAD = """() => {
  const request = new XMLHttpRequest();
  request.open("GET", "/late", false);
  request.send();
}"""


async def sent_too_much(stage: Stage) -> AsyncIterator[None]:
    await stage.enter()
    times = 2 * conf.MESSAGE_BURST
    await stage.each(lambda tap: tap.send('{"type": "ping"}', times))
    yield


async def sent_nonsense(stage: Stage) -> AsyncIterator[None]:
    await stage.enter()
    await stage.each(lambda tap: tap.send("nonsense", conf.MAX_ERRORS))
    yield


async def one_tab_too_many(stage: Stage) -> AsyncIterator[None]:
    address = url(stage.app).replace("http", "ws") + "ws/notifications/"
    tab = await Client.connect(address, token=token("alice"))
    await stage.open()
    yield
    await tab.leave()


async def met_a_bug(stage: Stage) -> AsyncIterator[None]:
    await stage.enter()
    await stage.each(lambda tap: tap.send('{"type": "ping"}'))
    yield


async def server_restarts(stage: Stage) -> AsyncIterator[None]:
    await stage.enter()
    await asyncio.to_thread(stage.app.stop)
    yield
    await asyncio.to_thread(stage.app.start)


async def server_is_killed(stage: Stage) -> AsyncIterator[None]:
    await stage.enter()
    await asyncio.to_thread(stage.app.kill)
    yield
    await asyncio.to_thread(stage.app.start)


class Cause(NamedTuple):
    """What ends a socket, and on which servers a page can tell.

    It is mended before the page comes back, or, where it `lasts`, once all is over. It may happen
    on a server that others use too, where it is `harmless` to that and to its Redis.
    """

    words: str
    happens: Callable[[Stage], AsyncIterator[None]]
    socket: str = "Notifications"
    lasts: bool = False
    harmless: bool = False
    application: str = "config.asgi:application"
    settings: dict[str, str] = {}
    servers: tuple[str, ...] = ("realtime.server", "daphne")


CAUSES = [
    Cause("signed out elsewhere", signed_out_elsewhere, harmless=True),
    Cause("user disabled", disabled, lasts=True, harmless=True),
    Cause(
        "organization left",
        left_the_organization,
        socket="Organization",
        lasts=True,
        harmless=True,
    ),
    Cause("Redis out of reach", redis_out_of_reach),
    Cause(
        "page too busy to read",
        too_busy_to_read,
        settings={"REALTIME_MAX_BEHIND": MAX_BEHIND},
        # Daphne drops what waits to be written a second after a close, and with it the code.
        servers=("realtime.server",),
    ),
    Cause("page sends too much", sent_too_much, harmless=True),
    Cause(
        "one tab too many",
        one_tab_too_many,
        lasts=True,
        settings={"REALTIME_SOCKETS_PER_USER": "1"},
    ),
    Cause("page sends nonsense", sent_nonsense, harmless=True),
    Cause(
        "bug in the server", met_a_bug, application="tests.wire.variants.ping_raises:application"
    ),
    Cause("server restarts", server_restarts),
    Cause("server killed", server_is_killed),
]


async def what_follows(cause: Cause, stage: Stage) -> dict:
    """Return the code that the page sees, what it says first and last, and how it comes back.

    `wait` is the shortest and the longest time, in seconds, null where it stays away at once;
    `tokens` is how often it asks for a new one.
    """
    async with contextlib.AsyncExitStack() as stack:
        await stack.enter_async_context(contextlib.asynccontextmanager(cause.happens)(stage))
        await stage.until(has_ended)
        if not cause.lasts:
            await stack.aclose()
        await stage.until(has_settled)
        await stage.each(stays_away_if_it_stopped)
    hasty, patient = stage.taps["least"], stage.taps["most"]
    [first, *_], last = await troubles(patient), (await patient.said())[-1]
    wait = [seconds(await troubles(hasty)), seconds([first])] if COUNTDOWN.search(first) else None
    return {
        "code": next(code for code in await patient.codes() if code is not None),
        "says": COUNTDOWN.sub("", first),
        "wait": wait,
        "tokens": await patient.tokens() - 1,
        "ends": last,
    }


async def has_ended(tap: Wiretap) -> bool:
    return any(code is not None for code in await tap.codes())


async def has_settled(tap: Wiretap) -> bool:
    """Whether the socket is back, or gone for good; while it waits, let its time pass at once."""
    last, codes = (await tap.said())[-1], await tap.codes()
    if countdown := COUNTDOWN.search(last):
        await tap.page.clock.fast_forward((int(countdown[1]) + 1) * 1_000)
        return False
    return has_stopped(last) or (last == "Connected" and codes[-1] is None)


async def stays_away_if_it_stopped(tap: Wiretap) -> None:
    """See that nothing more comes of a socket that is gone for good, however late it gets."""
    before = await tap.codes()
    if has_stopped((await tap.said())[-1]):
        await tap.page.clock.fast_forward(LONG)
        await tap.page.evaluate("() => fetch('/api/me/', {}).then(answer => answer.status)")
        assert await tap.codes() == before


def has_stopped(text: str) -> bool:
    return not (text.startswith(CALM) or COUNTDOWN.search(text))


async def troubles(tap: Wiretap) -> list[str]:
    """Return all that the page has said of trouble, oldest first."""
    return [text for text in await tap.said() if not text.startswith(CALM)]


def seconds(texts: list[str]) -> int:
    """Return the first wait that was announced; what takes no time may not be shown at all."""
    return next((int(found[1]) for text in texts if (found := COUNTDOWN.search(text))), 0)
