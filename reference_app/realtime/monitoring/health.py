"""Tells probes whether this process responds, and in what state its parts are.

A probe comes by address, which ALLOWED_HOSTS does not have, and by plain HTTP, which
SECURE_SSL_REDIRECT redirects. So it is answered before Django: a kubelet takes a redirect for
healthy.
"""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from threading import Thread

from channels.layers import get_channel_layer
from django.db import connections, router

from ..concurrency.event_loop import create_shared_task, per_event_loop
from ..conf import conf
from ..identity.errors import KeysUnavailableError
from ..identity.issuers import issuer_keys
from ..layer.batching import group_send_many
from ..models import Stream
from .paths import path_in

logger = logging.getLogger(__name__)

# Seconds. A probe waits for PATIENCE, because a kubelet gives it 1. A part that takes longer than
# DEADLINE is unavailable. It is asked again after FRESH, however many probes come.
PATIENCE, DEADLINE, FRESH = 0.5, 2, 1

UNKNOWN, OK, UNAVAILABLE = "unknown", "ok", "unavailable"


class HealthMiddleware:
    """Answers probes at two paths, and passes everything else on to an HTTP application.

    `alive` is 200 as long as this process responds. `ready` is 503 only while the server starts or
    drains. An outage of another service is in its body, and no reason for 503, because it helps no
    client that every server is taken out until a database is back.
    """

    def __init__(self, application, alive: str = "/healthz", ready: str = "/readyz"):
        self.application = application
        self.answers = {alive: is_alive, ready: is_ready}

    async def __call__(self, scope, receive, send):
        path = path_in(scope)
        if scope["type"] != "http" or path not in self.answers:
            return await self.application(scope, receive, send)
        if scope["method"] not in ("GET", "HEAD"):
            return await reply(
                send, 405, {"status": "method not allowed"}, (b"allow", b"GET, HEAD")
            )
        await reply(send, *await self.answers[path](scope))


async def reply(send, status: int, body: dict[str, str], *headers: tuple[bytes, bytes]) -> None:
    content = json.dumps(body).encode()
    length = str(len(content)).encode()
    common = [(b"content-type", b"application/json"), (b"cache-control", b"no-store")]
    headers = (*common, (b"content-length", length), *headers)
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": content})


async def is_alive(scope) -> tuple[int, dict[str, str]]:
    return 200, {"status": "alive"}


async def is_ready(scope) -> tuple[int, dict[str, str]]:
    states = await states_of_parts()
    # By `realtime.server`, while it drains.
    if "realtime.draining" in scope.get("extensions", {}):
        return 503, {"status": "draining", **states}
    if UNKNOWN in states.values():
        return 503, {"status": "starting", **states}
    return 200, {"status": "ready", **states}


async def states_of_parts() -> dict[str, str]:
    """Return the state of each part, as known within the patience of a probe."""
    if asking := [task for part in parts() if (task := part.ask_again())]:
        await asyncio.wait(asking, timeout=PATIENCE)
    return {part.name: part.state for part in parts()}


class Part:
    """A service that is asked at most once at a time, and for its state."""

    def __init__(self, name: str, ask: Callable[[], Awaitable[None]]):
        self.name, self.ask = name, ask
        self.state, self.asked_at = UNKNOWN, -float("inf")
        self.asking: asyncio.Task | None = None

    def ask_again(self) -> asyncio.Task | None:
        """Ask, unless the state is fresh or being asked for; return what there is to wait for."""
        now = asyncio.get_running_loop().time()
        if self.asking is None and now - self.asked_at >= FRESH:
            self.asked_at = now
            self.asking = create_shared_task(self._learn())
        return self.asking

    async def _learn(self) -> None:
        try:
            async with asyncio.timeout(DEADLINE):
                await self.ask()
            self._become(OK, "answers")
        except Exception as error:  # any fault of a part is a state of it
            self._become(UNAVAILABLE, f"is unavailable: {error!r}")
        finally:
            self.asking = None

    def _become(self, state: str, words: str) -> None:
        if self.state != state and (self.state, state) != (UNKNOWN, OK):
            logger.warning("A probe has found that the %s %s", self.name.replace("_", " "), words)
        self.state = state


@per_event_loop
def parts() -> list[Part]:
    asked = [Part("database", DatabaseQuestion().ask), Part("channel_layer", ask_channel_layer)]
    # Where users sign in by sessions alone, there is no issuer.
    return [*asked, Part("issuer_keys", ask_issuer)] if conf.ISSUER else asked


class DatabaseQuestion:
    """A query in a thread of its own, of which there is never more than one.

    A database that is frozen may hold the thread for hours. It is a daemon, so that the process
    can end.
    """

    answer: asyncio.Future[Exception | None] | None = None

    async def ask(self) -> None:
        if self.answer is None or self.answer.done():
            answer: Future[Exception | None] = Future()
            Thread(target=answer_with_query, args=[answer], name="health", daemon=True).start()
            self.answer = asyncio.wrap_future(answer)
        await asyncio.wait([self.answer])  # not awaited itself, which would cancel it
        if error := self.answer.result():
            raise error


def answer_with_query(answer: Future[Exception | None]) -> None:
    try:
        query_database()
    except Exception as error:
        answer.set_result(error)
    else:
        answer.set_result(None)


def query_database() -> None:
    try:
        Stream.objects.using(router.db_for_write(Stream)).exists()
    finally:
        connections.close_all()  # this thread's


async def ask_channel_layer() -> None:
    """Send a message to a group that has no member."""
    await group_send_many(get_channel_layer(), [("health", {"type": "health"})])


async def ask_issuer() -> None:
    """Fetch the keys where they are old, or the last fetch has failed."""
    keys = issuer_keys()
    known = None if keys.last_try_failed else next(iter(keys.keys), None)
    if fetch := keys.refresh_for(known):
        await asyncio.wait([asyncio.wrap_future(fetch)])
    if not keys.is_authoritative:
        raise KeysUnavailableError()
