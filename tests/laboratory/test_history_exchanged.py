"""A database that goes back to an earlier state, and then assigns the same offsets again."""

import asyncio
import contextlib
import sqlite3

import httpx
import psycopg
import pytest

from classroom import token
from realtime.protocol.close_codes import CloseCode
from tests.laboratory.audience import seats
from tests.laboratory.faults import succeed
from tests.laboratory.laboratory import Laboratory, run, steady
from tests.laboratory.schedules import Fault, Schedule, repeated
from tests.laboratory.stacks import Stack
from tests.laboratory.test_outbox_faults import connected, senders_of, silent
from tests.wire.fixtures import on_database, on_databases
from tests.wire.servers import COMMANDS, EACH_SERVER, serving

pytestmark = pytest.mark.full

NOTIFICATIONS = "/ws/notifications/"

BACK = repeated("restore_database", 2, seconds=1.5, every=3)
# The sockets are away while it goes back, and resume after that.
AWAY = (Fault(0.5, "restore_database", 1.5), Fault(1.8, "cut_network", 1))

# Each with the database of the full lane.
FAULTS = [
    ("postgresql", Stack("daphne", "pubsub"), Schedule("while sockets are open", BACK)),
    ("sqlite", Stack("uvicorn", "core"), Schedule("while sockets are away", AWAY, rest=2)),
]


@on_databases(FAULTS)
async def test_database_goes_back_and_nobody_is_told_a_wrong_history(database, stack, schedule):
    audience = seats(hall=10, side=2)
    result = await run(database, stack, schedule, steady(audience, schedule))
    assert result.is_good, str(result)
    # Those in the hall had all seen what is gone.
    assert result.report.unrecovered >= 10, str(result)


@on_database("postgresql")
async def test_history_that_was_exchanged_and_grew_beyond_the_old_one_is_noticed(database):
    """The server is frozen meanwhile: by the offsets alone, the stream has just gone on."""
    async with Laboratory(database, Stack()) as laboratory:
        await laboratory.assemble(silent(seats(alone=1)))
        client = await connected(laboratory)
        await client.receive()
        await laboratory.hand.order("copy")
        await succeed(await laboratory.start_sender("tell"))
        await senders_of(client)
        (server,) = laboratory.servers
        server.freeze()
        await laboratory.hand.order("restore")
        for _ in range(2):
            await succeed(await laboratory.start_sender("tell"))
        server.thaw()
        assert (await client.receive())["code"] == CloseCode.UNAVAILABLE
        await client.leave()
        await laboratory.perform()
        result = await laboratory.conclude()
    assert result.is_good, str(result)
    assert result.report.unrecovered == 1


class Sqlite:
    """The backup of an SQLite file, by the backup API of SQLite itself."""

    def __init__(self, url: str, folder):
        self.live, self.kept = url.removeprefix("sqlite:///"), folder / "backup.sqlite3"

    def back_up(self) -> None:
        self._copy(self.live, self.kept)

    def restore(self) -> None:
        self._copy(self.kept, self.live)

    def _copy(self, source, target) -> None:
        with (
            contextlib.closing(sqlite3.connect(source)) as one,
            contextlib.closing(sqlite3.connect(target)) as other,
        ):
            one.backup(other)


class Postgresql:
    """The backup of the tables that streams are in, restored in one transaction."""

    TABLES = (
        "realtime_stream",
        "realtime_entry",
        "realtime_pendingentry",
        "realtime_readmark",
    )

    def __init__(self, url: str, folder):
        self.url = url

    def back_up(self) -> None:
        self._run(f"CREATE TABLE kept_{table} AS TABLE {table}" for table in self.TABLES)

    def restore(self) -> None:
        self._run(
            [
                f"TRUNCATE {', '.join(self.TABLES)}",
                *(f"INSERT INTO {table} SELECT * FROM kept_{table}" for table in self.TABLES),
                *(f"DROP TABLE kept_{table}" for table in self.TABLES),
            ]
        )

    def _run(self, statements) -> None:
        with psycopg.connect(self.url) as connection:
            for statement in statements:
                connection.execute(statement)


@pytest.fixture
def backup(database, tmp_path):
    url = database["DATABASE_URL"]
    return (Sqlite if url.startswith("sqlite") else Postgresql)(url, tmp_path)


@pytest.fixture(params=EACH_SERVER)
def server(request, database, own_redis):
    settings = {
        "REDIS_HOST": "127.0.0.1",
        "REDIS_PORT": str(own_redis.port),
        "REALTIME_TAIL_CHECK_SECONDS": "1",
    }
    command = [*COMMANDS[request.param], "config.asgi:application"]
    with serving(command, **database, **settings) as it:
        yield it


@pytest.fixture
async def notify(server):
    """Return a function that has the server send Alice notifications."""
    headers = {"Authorization": f"Bearer {token('alice')}"}
    async with httpx.AsyncClient(base_url=server.http, headers=headers) as http:

        async def send(*titles: str) -> None:
            for title in titles:
                answer = await http.post("/api/me/notifications/", json={"title": title})
                assert answer.status_code == 202, answer.text

        yield send


async def titles(client, count: int) -> list[str]:
    return [(await client.receive())["notification"]["title"] for _ in range(count)]


async def test_restored_backup_is_told_to_who_was_ahead_and_to_nobody_else(
    server, backup, notify, connect
):
    def back(position):
        return connect(server, f"{NOTIFICATIONS}?position={position}", "alice")

    open_one = await connect(server, NOTIFICATIONS, "alice")
    await open_one.receive()
    await notify("kept")
    kept = await open_one.receive()
    await asyncio.to_thread(backup.back_up)
    await notify("gone 1", "gone 2")
    gone = [await open_one.receive() for _ in range(2)]
    await asyncio.to_thread(backup.restore)

    closing = await open_one.receive()
    assert (closing["code"], closing["reconnect"]) == (CloseCode.UNAVAILABLE, True)
    assert await open_one.closed() == CloseCode.UNAVAILABLE

    ahead = await back(gone[1]["position"])
    greeting = await ahead.receive()
    assert greeting["recovered"] is False
    assert greeting["position"] == kept["position"]
    behind = await back(kept["position"])
    assert (await behind.receive())["recovered"] is True

    # The offsets of what is gone come again, and one more.
    await notify("new 1", "new 2", "new 3")
    for client in (ahead, behind):
        assert await titles(client, 3) == ["new 1", "new 2", "new 3"]
    for seen in gone:
        late = await back(seen["position"])
        assert (await late.receive())["recovered"] is False
    late = await back(kept["position"])
    assert (await late.receive())["recovered"] is True
    assert await titles(late, 3) == ["new 1", "new 2", "new 3"]
