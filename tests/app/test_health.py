"""Probes, and the states of the parts that they are told."""

import asyncio
import json
import re
import threading

import pytest
import yaml
from django.db import OperationalError, connections
from redis.exceptions import ConnectionError as RedisConnectionError

from realtime.concurrency.event_loop import per_event_loop
from realtime.conf import conf
from realtime.monitoring import health
from realtime.monitoring.health import HealthMiddleware, query_database
from realtime.server.drain import END_PATIENCE
from tests.app.issuer import use_keys_of
from tests.project.readme import REFERENCE

ALL_OK = {"database": "ok", "channel_layer": "ok", "issuer_keys": "ok"}
CLOSED_PORT = "http://127.0.0.1:9/certs"


async def beneath(scope, receive, send):
    """The application that is wrapped."""
    await send({"type": "beneath"})


async def ask(path, method="GET", application=None, **more):
    """Return the status, the headers and the body of an answer."""
    sent = []

    async def send(event):
        sent.append(event)

    scope = {"type": "http", "path": path, "method": method, "headers": []} | more
    await (application or HealthMiddleware(beneath))(scope, None, send)
    if sent == [{"type": "beneath"}]:
        return "beneath"
    start, end = sent
    return start["status"], dict(start["headers"]), json.loads(end["body"])


async def readiness(**more):
    status, _, body = await ask("/readyz", **more)
    return status, body


@pytest.fixture(autouse=True)
def _patience(monkeypatch):
    """Have no answer depend on how busy this machine is."""
    monkeypatch.setattr(health, "PATIENCE", 60)
    monkeypatch.setattr(health, "DEADLINE", 60)


@pytest.fixture
def only(monkeypatch):
    """Return a function that leaves one part, which is asked so."""

    def leave(ask, name="database"):
        part = per_event_loop(lambda: [health.Part(name, ask)])
        monkeypatch.setattr(health, "parts", part)
        return part

    return leave


async def answers():
    """A part that is well."""


async def test_probes_that_the_page_configures_in_kubernetes_are_answered(only):
    only(answers)
    (block,) = re.findall(r"```yaml\n(command:.+?)```", REFERENCE.read_text(), re.DOTALL)
    container = yaml.safe_load(block)
    for probe in ("livenessProbe", "readinessProbe"):
        asked = container[probe]["httpGet"]
        assert str(asked["port"]) in container["command"]
        assert (await ask(asked["path"]))[0] == 200
    # The time that the page gives the pod.
    waits = int(container["lifecycle"]["preStop"]["exec"]["command"][1])
    assert waits + conf.DRAIN_SECONDS + 2 * END_PATIENCE <= 30
    assert "terminationGracePeriodSeconds: 30" in REFERENCE.read_text()


async def test_process_that_responds_is_alive():
    status, headers, body = await ask("/healthz")
    assert (status, body) == (200, {"status": "alive"})
    assert headers[b"content-type"] == b"application/json"
    assert headers[b"cache-control"] == b"no-store"
    assert int(headers[b"content-length"]) == len(json.dumps(body))


@pytest.mark.usefixtures("layer", "transactional_db")
async def test_server_with_all_its_parts_is_ready_and_says_so():
    assert await readiness() == (200, {"status": "ready", **ALL_OK})


@pytest.mark.parametrize("path", ["/", "/healthz/", "/readyz/x", "/api/healthz"])
async def test_other_paths_are_the_applications(path):
    assert await ask(path) == "beneath"


@pytest.mark.parametrize("scope", [{"type": "websocket"}, {"type": "lifespan"}], ids=str)
async def test_what_is_not_http_is_the_applications(scope):
    assert await ask("/healthz", **scope) == "beneath"


async def test_paths_are_arguments():
    wrapped = HealthMiddleware(beneath, alive="/-/up", ready="/-/ready")
    assert (await ask("/-/up", application=wrapped))[0] == 200
    assert await ask("/healthz", application=wrapped) == "beneath"


async def test_path_is_found_below_the_path_that_the_server_is_mounted_at():
    assert (await ask("/app/healthz", root_path="/app"))[0] == 200
    assert await ask("/other/healthz", root_path="/app") == "beneath"


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
async def test_probes_only_read(path):
    status, headers, _ = await ask(path, method="POST")
    assert (status, headers[b"allow"]) == (405, b"GET, HEAD")


@pytest.mark.usefixtures("layer")
async def test_database_that_is_away_is_told_and_no_reason_for_503(monkeypatch):
    def fail():
        raise OperationalError("no such host")

    monkeypatch.setattr(health, "query_database", fail)
    assert await readiness() == (200, {"status": "ready", **ALL_OK, "database": "unavailable"})


@pytest.mark.usefixtures("transactional_db")
async def test_channel_layer_that_is_away_is_told_and_no_reason_for_503(monkeypatch):
    class Away:
        async def group_send(self, group, message):
            raise RedisConnectionError("no such host")

    monkeypatch.setattr(health, "get_channel_layer", Away)
    assert await readiness() == (200, {"status": "ready", **ALL_OK, "channel_layer": "unavailable"})


@pytest.mark.usefixtures("layer", "transactional_db")
async def test_issuer_that_is_away_is_told_and_no_reason_for_503(settings):
    use_keys_of(settings, KEYS_URL=CLOSED_PORT)
    assert await readiness() == (200, {"status": "ready", **ALL_OK, "issuer_keys": "unavailable"})


@pytest.mark.usefixtures("layer", "transactional_db")
@pytest.mark.parametrize("layer", ["pubsub"], indirect=True)
async def test_project_without_tokens_has_no_issuer_to_ask(settings):
    settings.REALTIME_ISSUER = {}
    ready = {"status": "ready", "database": "ok", "channel_layer": "ok"}
    assert await readiness() == (200, ready)


async def test_issuer_that_is_back_is_told_although_its_old_keys_are_fresh(settings, monkeypatch):
    """A forged key id had them fetched again, in vain; by themselves they last for minutes."""
    keys = health.issuer_keys()
    keys.refresh_for("forged").result()
    monkeypatch.setattr("realtime.identity.keys.RETRY", 0)
    monkeypatch.setattr(keys, "last_try_failed", True)
    await health.ask_issuer()


async def test_server_starts_until_each_part_was_asked(only, monkeypatch):
    monkeypatch.setattr(health, "PATIENCE", 0.01)
    well = asyncio.Event()
    parts = only(well.wait)
    assert await readiness() == (503, {"status": "starting", "database": "unknown"})
    well.set()
    await parts()[0].asking
    assert await readiness() == (200, {"status": "ready", "database": "ok"})


async def test_part_that_does_not_answer_in_time_is_unavailable(only, monkeypatch):
    monkeypatch.setattr(health, "DEADLINE", 0.01)
    only(asyncio.Event().wait)
    assert await readiness() == (200, {"status": "ready", "database": "unavailable"})


async def test_probe_waits_for_no_part_that_is_asked_already(only, monkeypatch):
    monkeypatch.setattr(health, "FRESH", 0)
    monkeypatch.setattr(health, "PATIENCE", 0.01)
    asked, well = [], asyncio.Event()

    async def ask():
        asked.append(1)
        await well.wait()

    part = only(ask)()[0]
    for _ in range(10):
        assert (await readiness())[0] == 503
    assert asked == [1]
    well.set()
    await part.asking


async def test_server_that_drains_is_not_ready(only):
    only(answers)
    draining = {"extensions": {"realtime.draining": {}}}
    assert await readiness(**draining) == (503, {"status": "draining", "database": "ok"})
    assert (await ask("/healthz", **draining))[0] == 200


@pytest.mark.usefixtures("transactional_db", "layer")
async def test_hundred_probes_at_once_cost_one_query(monkeypatch):
    queries = []

    def count(execute, sql, *arguments):
        queries.append(sql)
        return execute(sql, *arguments)

    def counted():
        with connections["default"].execute_wrapper(count):
            query_database()

    monkeypatch.setattr(health, "query_database", counted)
    found = await asyncio.gather(*(readiness() for _ in range(100)))
    assert found == [(200, {"status": "ready", **ALL_OK})] * 100
    assert len(queries) == 1


async def test_state_is_asked_again_when_it_is_no_longer_fresh(only, monkeypatch):
    monkeypatch.setattr(health, "FRESH", 0)
    faults = [OSError("away"), OSError("away"), None, None]

    async def ask():
        if fault := faults.pop(0):
            raise fault

    only(ask)
    states = [(await readiness())[1]["database"] for _ in range(4)]
    assert states == ["unavailable", "unavailable", "ok", "ok"]


async def test_change_of_a_state_is_logged_once(only, monkeypatch, caplog):
    monkeypatch.setattr(health, "FRESH", 0)
    faults = [None, OSError("away"), OSError("away"), None, None]

    async def ask():
        if fault := faults.pop(0):
            raise fault

    only(ask, name="channel_layer")
    for _ in range(5):
        await readiness()
    assert caplog.messages == [
        "A probe has found that the channel layer is unavailable: OSError('away')",
        "A probe has found that the channel layer answers",
    ]


async def test_frozen_database_holds_one_thread_however_many_probes_come(only, monkeypatch):
    monkeypatch.setattr(health, "FRESH", 0)
    monkeypatch.setattr(health, "DEADLINE", 0.01)
    thawed, asked = threading.Event(), []

    def freeze():
        asked.append(threading.current_thread())
        thawed.wait()

    monkeypatch.setattr(health, "query_database", freeze)
    question = health.DatabaseQuestion()
    only(question.ask)
    for _ in range(20):
        assert await readiness() == (200, {"status": "ready", "database": "unavailable"})
    (thread,) = asked
    assert thread.daemon  # so that it keeps no process from ending
    thawed.set()
    await question.answer
    monkeypatch.setattr(health, "DEADLINE", 60)
    assert (await readiness())[1]["database"] == "ok"
