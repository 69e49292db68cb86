"""Measures what Redis and PostgreSQL spend on what servers ask of them, in CPU time.

    python -m tests.bench.services

Needs Linux, a redis-server and PostgreSQL. CPU hardly depends on what else the machine does.
"""

import asyncio
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import cycle, islice
from pathlib import Path

USERS = 10_000
# Names that one query asks for, as a server does.
STREAMS, ACCESSES = 200, 100
# Notifications by one sender, and by fifty in a process.
ALONE, TOGETHER, SENDERS = 4_000, 20_000, 50
# Publishes by a pipeline, and the processes that hear each.
PUBLISHES, PROCESSES = 20_000, (0, 10)
MESSAGE = {"type": "notification", "notification": {"title": "x" * 200}}


def cpu_of(main: int) -> float:
    """Return the CPU seconds of a process, and of its children, those that have ended too."""
    ticks = 0
    for file in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = [int(each) for each in file.read_text().rpartition(")")[2].split()[1:15]]
        except OSError:
            continue  # it has ended
        if file.parent.name == str(main):
            ticks += sum(fields[10:14])
        elif fields[0] == main:
            ticks += sum(fields[10:12])
    return ticks / os.sysconf("SC_CLK_TCK")


def parts(things: list, size: int) -> Iterator[list]:
    return (things[start : start + size] for start in range(0, len(things), size))


def measure(postgresql: int, redis: int, port: int) -> None:
    """Print each cost.

    Django has to be set up.
    """
    from django.contrib.auth import get_user_model
    from django.core.management import call_command
    from redis import Redis

    from api.topics import user_topic
    from realtime.authority.access import Access, check_access
    from realtime.delivery import streams
    from realtime.delivery.group_commit import group_commit
    from realtime.delivery.outbox import Outgoing
    from realtime.models import Identity
    from realtime.protocol.frames import encode_entry

    def told(what: str, number: int, work: Callable[[], object]) -> None:
        before = cpu_of(postgresql), cpu_of(redis)
        work()
        time.sleep(0.3)  # until the kernel has counted it
        spent = [cpu_of(postgresql) - before[0], cpu_of(redis) - before[1]]
        print(f"| {what} | {' | '.join(f'{1e6 * each / number:.0f}' for each in spent)} |")

    call_command("migrate", verbosity=0)
    users = get_user_model().objects.bulk_create(
        get_user_model()(username=f"user {number}") for number in range(USERS)
    )
    subjects = [f"subject-{user.pk}" for user in users]
    Identity.objects.bulk_create(
        Identity(user=user, subject=subject) for user, subject in zip(users, subjects, strict=True)
    )
    names = [user_topic.stream(subject) for subject in subjects]
    accesses = [
        Access(subject, "session", user_topic, subject, str(user.pk), int(time.time()))
        for user, subject in zip(users, subjects, strict=True)
    ]
    for part in parts(names, 1_000):
        streams.begin(part)
    text = encode_entry(MESSAGE)

    async def send(senders: int, times: int) -> None:
        recipients = cycle(names)

        async def send_some() -> None:
            for name in islice(recipients, times // senders):
                await group_commit().send([Outgoing(name, text)])

        await asyncio.gather(*(send_some() for _ in range(senders)))

    print("| what | PostgreSQL, µs | Redis, µs |\n|---|---|---|")
    told("a stream is compared", USERS, lambda: [*map(streams.positions, parts(names, STREAMS))])
    told(
        "an access is checked",
        USERS,
        lambda: [check_access(set(part)) for part in parts(accesses, ACCESSES)],
    )
    told("a notification, one sender", ALONE, lambda: asyncio.run(send(1, ALONE)))
    told(
        f"a notification, {SENDERS} senders in a process",
        TOGETHER,
        lambda: asyncio.run(send(SENDERS, TOGETHER)),
    )
    with Redis(port=port) as connection:
        for processes in PROCESSES:
            listeners = [connection.pubsub() for _ in range(processes)]
            for listener in listeners:
                listener.subscribe("group")

            def publish() -> None:
                for part in parts([b"x" * 400] * PUBLISHES, 100):
                    pipeline = connection.pipeline(transaction=False)
                    for message in part:
                        pipeline.publish("group", message)
                    pipeline.execute()

            told(f"a message to {processes} processes", PUBLISHES, publish)


def main() -> None:
    from tests.wire.parts import RedisProcess
    from tests.wire.postgresql import own_postgresql

    redis = RedisProcess()
    redis.start()
    with tempfile.TemporaryDirectory() as folder, own_postgresql() as postgresql:
        os.environ |= {
            "DJANGO_SETTINGS_MODULE": "config.settings.local",
            "DATA_DIR": folder,
            "DATABASE_URL": postgresql.url,
            "REDIS_HOST": "127.0.0.1",
            "REDIS_PORT": str(redis.port),
        }
        import django

        django.setup()
        file = Path(postgresql.data, "postmaster.pid")
        try:
            measure(int(file.read_text().split()[0]), redis.process.pid, redis.port)
        finally:
            redis.kill()


if __name__ == "__main__":
    main()
