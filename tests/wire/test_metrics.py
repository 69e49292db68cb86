"""What real servers count, and what they log of each connection."""

import asyncio
import json
import re
from collections import Counter

import pytest

from classroom import Client, token
from demo.people import ORG_ID
from tests.wire.prometheus import counted_in
from tests.wire.servers import COMMANDS, EACH_SERVER, PATIENCE, eventually, serving

EVENTS, NOTIFICATIONS = f"/ws/events/{ORG_ID}/", "/ws/notifications/"
SECRET = "what only Prometheus knows"
SCRAPER = {"Authorization": f"Bearer {SECRET}", "Host": "10.0.0.7:8000"}
ALICE = {"Authorization": f"Bearer {token('alice')}"}
SENT = 12


@pytest.fixture
def counting(environment, redis_port):
    """The environment of a server that counts, and logs lines for a machine."""
    redis = {"REDIS_HOST": "127.0.0.1", "REDIS_PORT": str(redis_port)}
    return environment | redis | {"REALTIME_METRICS_TOKEN": SECRET, "LOG_FORMAT": "json"}


async def samples(server) -> dict[tuple, float]:
    """Return what Prometheus would store, by name and labels."""
    async with server.requests(headers=SCRAPER) as http:
        answer = await http.get("/metrics")
    assert answer.status_code == 200
    return counted_in(answer.text)


def connections_to(servers, number):
    """Return a predicate: the first server tells of so many open sockets."""

    async def holds():
        found = await samples(servers)
        return found.get(("realtime_connections", "NotificationConsumer"), 0) == number

    return holds


async def greeted(server, path, user) -> tuple[Client, list[dict]]:
    """Return a client, and the list of what it received."""
    client = await Client.connect(server.ws + path, token=token(user))
    return client, [await client.receive()]


async def notify(server, times) -> None:
    async with server.requests(headers=ALICE) as http:
        for number in range(times):
            await http.post("/api/me/notifications/", json={"title": f"Number {number}"})


@pytest.mark.parametrize("name", EACH_SERVER)
async def test_counts_are_those_of_the_clients(counting, name):
    with serving([*COMMANDS[name], "config.asgi:application"], **counting) as server:
        people = [await greeted(server, NOTIFICATIONS, "alice") for _ in range(3)]
        people.append(await greeted(server, EVENTS, "bob"))
        people.append(await greeted(server, EVENTS, "mallory"))  # no member
        await notify(server, SENT)
        for client, frames in people[:3]:
            await client.send({"type": "ping", "timestamp": 1})
            await client.send({"type": "unheard of"})
            frames += [await client.receive() for _ in range(SENT + 2)]
        received = Counter(frame["type"] for _, frames in people for frame in frames)
        codes = [await people[-1][0].closed()]

        found = await samples(server)
        sent = {key[1]: n for key, n in found.items() if key[0] == "realtime_frames_sent_total"}
        assert sent == received
        assert received["notification"] == 3 * SENT
        assert found["realtime_frames_received_total", "ping"] == 3
        assert found["realtime_frames_received_total", "invalid"] == 3
        assert found["realtime_appends_total", "notification"] == SENT
        assert found["realtime_delivery_lag_seconds_count",] == SENT
        assert found["realtime_connections", "NotificationConsumer"] == 3
        assert found["realtime_handshakes_total", "OrganizationEventsConsumer", "forbidden"] == 1
        assert found["realtime_closes_total", str(codes[0])] == 1
        for client, _ in people[:4]:
            await client.leave()
        await eventually(connections_to(server, 0))


@pytest.mark.full
async def test_processes_that_share_a_folder_answer_together(counting, tmp_path):
    shared = counting | {"PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}
    command = [*COMMANDS["realtime.server"], "config.asgi:application"]
    with serving(command, **shared) as one, serving(command, **shared) as two:
        clients = [
            (await greeted(server, NOTIFICATIONS, "alice"))[0]
            for server in (one, two)
            for _ in range(2)
        ]
        await eventually(connections_to(one, 4))
        await notify(two, SENT)
        for client in clients:
            assert len([await client.receive() for _ in range(SENT)]) == SENT
        found = await samples(one)
        assert found["realtime_frames_sent_total", "notification"] == 4 * SENT
        assert found["realtime_appends_total", "notification"] == SENT

        two.process.kill()
        await asyncio.to_thread(two.process.wait, PATIENCE)
        # Its sockets are gone, and what it has counted is not.
        await eventually(connections_to(one, 2))
        found = await samples(one)
        assert found["realtime_frames_sent_total", "notification"] == 4 * SENT
        for client in clients[:2]:
            await client.leave()


@pytest.mark.full
@pytest.mark.parametrize("name", EACH_SERVER)
async def test_lines_of_a_connection_carry_its_id(counting, name):
    with serving([*COMMANDS[name], "config.asgi:application"], **counting) as server:
        alice, _ = await greeted(server, NOTIFICATIONS, "alice")
        nobody = await Client.connect(server.ws + NOTIFICATIONS, token="forged")
        assert (await nobody.receive())["code"] == await nobody.closed() == 4001
        await alice.leave()
        await eventually(lambda: len(lines_about(server, "socket_closed")) == 2)

    (opened,) = lines_about(server, "socket_opened")
    refused, closed = lines_about(server, "socket_closed")
    assert opened["consumer"] == "NotificationConsumer"
    assert closed["connection"] == opened["connection"] != refused["connection"]
    assert (refused["code"], refused["was_let_in"]) == (4001, False)
    assert (closed["code"], closed["was_let_in"]) == (1000, True)
    (reason,) = [line for line in lines(server) if "Token refused" in line["message"]]
    assert reason["connection"] == refused["connection"]
    assert re.fullmatch(r"[0-9a-f]{8}", reason["connection"])


def lines(server) -> list[dict]:
    """Return what the server logged as JSON; its own access log may be of another form."""
    return [json.loads(line) for line in server.log if line.startswith("{")]


def lines_about(server, event) -> list[dict]:
    return [line for line in lines(server) if line.get("event") == event]
