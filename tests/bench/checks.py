"""How long the periodic checks keep the event loop of a process that has many streams and users.

    python -m tests.bench.checks --streams 10000 --runs 5

There are no sockets and no layer, but the real hub, the real registry and real rows. DATABASE_URL
may name a PostgreSQL database; the default is an SQLite file that is thrown away.
"""

import argparse
import asyncio
import os
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable

import django

# Rows that are made at once.
SOME = 1_000


def make(count: int) -> list[str]:
    """Make users and their streams, and return the subjects."""
    from django.contrib.auth import get_user_model

    from api.topics import user_topic
    from realtime.delivery import streams
    from realtime.identity.issuers import trusted_issuer
    from realtime.models import Identity

    User = get_user_model()
    issuer = trusted_issuer().issuer
    subjects = [f"checked-{number}" for number in range(count)]
    for start in range(0, count, SOME):
        some = subjects[start : start + SOME]
        users = [User(username=subject) for subject in some]
        User.objects.bulk_create(users, ignore_conflicts=True)
        ids = dict(User.objects.filter(username__in=some).values_list("username", "id"))
        identities = [
            Identity(issuer=issuer, subject=subject, user_id=ids[subject]) for subject in some
        ]
        Identity.objects.bulk_create(identities, ignore_conflicts=True)
        streams.begin(map(user_topic.stream, some))
    return subjects


class Subscriber:
    """A layer that has lost nothing."""

    async def join_again(self, groups: set[str]) -> None:
        pass


class Socket:
    is_closing = False

    def __init__(self, access):
        self.access = access

    def end(self, refusal) -> None:
        raise AssertionError("No user has lost access.")


async def comparison(subjects: list[str]) -> Callable[[], Awaitable]:
    """Return the check for frames that the layer lost."""
    from api.topics import user_topic
    from realtime.delivery.feed import Feed
    from realtime.delivery.hub import Hub, positions

    hub = Hub()
    hub.subscriber = Subscriber()
    for name, position in (await positions(map(user_topic.stream, subjects))).items():
        hub.feeds[name] = Feed(name)
        hub.feeds[name].open(position)
    return lambda: hub._compare([*hub.feeds.values()])


async def look_up(subjects: list[str]) -> Callable[[], Awaitable]:
    """Return the check of the access of all sockets."""
    from realtime.authority.access import Access
    from realtime.authority.registry import SocketRegistry

    registry = SocketRegistry()
    registry.subscriber = Subscriber()
    registry.sockets = {subject: {Socket(Access(subject))} for subject in subjects}

    async def check() -> None:
        registry._recheck_all()
        looking_up = asyncio.create_task(registry._check(registry.subscriber))
        while registry.recheck_now.is_set():  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        looking_up.cancel()

    return check


async def longest_stall(check: Callable[[], Awaitable]) -> float:
    """Run a check, and return the longest time in milliseconds for which nothing else ran."""
    stalls = [0.0]

    async def watch() -> None:
        while True:
            before = time.perf_counter()
            await asyncio.sleep(0.001)
            stalls.append(time.perf_counter() - before - 0.001)

    watching = asyncio.create_task(watch())
    await asyncio.sleep(0.05)
    del stalls[1:]
    await check()
    watching.cancel()
    return max(stalls) * 1000


async def measure(count: int, runs: int) -> None:
    from asgiref.sync import sync_to_async

    subjects = await sync_to_async(make)(count)
    for make_check in (comparison, look_up):
        check = await make_check(subjects)
        stalls = [await longest_stall(check) for _ in range(runs)]
        shown = ", ".join(f"{stall:.0f}" for stall in stalls)
        print(
            f"{make_check.__name__}, {count:,}: the longest stall was "
            f"{statistics.median(stalls):.0f} ms in the median of {shown}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--streams", type=int, default=10_000)
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="checks-") as folder:
        os.environ |= {"DJANGO_SETTINGS_MODULE": "config.settings.local", "DATA_DIR": folder}
        django.setup()
        from django.core.management import call_command

        call_command("migrate", verbosity=0)
        asyncio.run(measure(options.streams, options.runs))


if __name__ == "__main__":
    main()
