"""What is counted for Prometheus, and who may read it."""

import time
from unittest.mock import Mock

import pytest
from channels.testing import WebsocketCommunicator
from django.utils.module_loading import import_string
from prometheus_client import REGISTRY
from prometheus_client.parser import text_string_to_metric_families

from api.consumers import broadcast_notification
from config.asgi import application
from devrealm.accounts import PEOPLE
from realtime import signals
from realtime.authority import registry as registry_module
from realtime.authority.access import SESSION_ENDED, TOKEN_EXPIRED, USER_DISABLED
from realtime.delivery.cursor import MOST_WAITING, Cursor
from realtime.delivery.streams import Place
from realtime.layer import publish as publish_module
from realtime.monitoring import metrics
from realtime.monitoring.metrics import MetricsMiddleware
from realtime.protocol import frames
from realtime.protocol.close_codes import CloseCode, Code, Refusal
from realtime.testing.layers import default_layer
from tests.app.dialogue import EVENTS, NOTIFICATIONS, established, socket
from tests.wire.servers import PATIENCE

TOKEN = "a token for Prometheus alone"
ALICE = PEOPLE["alice"].subject


@pytest.fixture
def counted():
    """Return a function that says by how much a sample has grown since the test began."""
    before = dict(samples())

    def grown(name, **labels):
        key = name, frozenset(labels.items())
        return dict(samples()).get(key, 0) - before.get(key, 0)

    return grown


def samples():
    for family in REGISTRY.collect():
        for each in family.samples:
            yield (each.name, frozenset(each.labels.items())), each.value


async def receive_nothing():
    return {"type": "http.request"}


async def scrape(*headers, path="/metrics", wrapped=application):
    """Return the status and the body of an answer."""
    sent = []

    async def send(event):
        sent.append(event)

    scope = {"type": "http", "path": path, "method": "GET", "query_string": b""}
    await wrapped(scope | {"headers": [*headers]}, receive_nothing, send)
    return sent[0]["status"], b"".join(each.get("body", b"") for each in sent)


def bearer(token):
    return b"authorization", f"Bearer {token}".encode()


async def test_who_sends_the_token_reads_what_the_parser_of_prometheus_takes(settings):
    settings.REALTIME_METRICS_TOKEN = TOKEN
    status, body = await scrape(bearer(TOKEN))
    families = {each.name for each in text_string_to_metric_families(body.decode())}
    assert status == 200
    assert families >= {f"realtime_{name}" for name in NAMES}


NAMES = """
    connections handshakes closes connect_duration_seconds connection_duration_seconds frames_sent
    frames_received appends delivery_lag_seconds streams_open gaps_mended layer_errors slow_readers
    lookup_batch_size key_fetches keys_fetched_timestamp_seconds authority_ends draining
""".split()


@pytest.mark.parametrize(
    "headers", [[], [bearer("another")], [bearer("")], [(b"authorization", b"")]]
)
@pytest.mark.parametrize("token", [TOKEN, ""])
async def test_nothing_is_shown_without_the_token(settings, headers, token):
    settings.REALTIME_METRICS_TOKEN = token
    status, body = await scrape(*headers)
    assert (status, b"realtime_" in body) == (404, False)
    assert b"There is nothing at this address." in body


async def test_other_paths_are_passed_on():
    async def beneath(scope, receive, send):
        await send({"status": 299})

    assert await scrape(path="/metrics/more", wrapped=MetricsMiddleware(beneath)) == (299, b"")


@pytest.mark.usefixtures("people", "layer")
async def test_socket_is_counted_from_its_handshake_to_its_end(counted):
    async with established(EVENTS, "alice"):
        assert counted("realtime_connections", consumer="OrganizationEventsConsumer") == 1
        assert counted("realtime_streams_open") == 1
        let_in = {"consumer": "OrganizationEventsConsumer", "outcome": "let_in"}
        assert counted("realtime_handshakes_total", **let_in) == 1
        assert counted("realtime_connect_duration_seconds_count") == 1
        assert counted("realtime_connection_duration_seconds_count") == 0
    assert counted("realtime_connections", consumer="OrganizationEventsConsumer") == 0
    assert counted("realtime_streams_open") == 0
    assert counted("realtime_connection_duration_seconds_count") == 1
    assert counted("realtime_closes_total", code="1000") == 1
    assert counted("realtime_lookup_batch_size_count") > 0


@pytest.mark.usefixtures("people", "layer")
async def test_refused_socket_is_counted_as_such(counted):
    async with socket(EVENTS) as client:
        assert (await client.receive())["code"] == await client.closed() == 4001
    refused = {"consumer": "OrganizationEventsConsumer", "outcome": "unauthorized"}
    assert counted("realtime_handshakes_total", **refused) == 1
    assert counted("realtime_closes_total", code="4001") == 1
    assert counted("realtime_connections", consumer="OrganizationEventsConsumer") == 0


@pytest.mark.usefixtures("people", "layer")
async def test_page_of_another_origin_is_counted_without_a_consumer(counted):
    client = WebsocketCommunicator(
        application, NOTIFICATIONS, [(b"origin", b"https://evil.example"), (b"host", b"testserver")]
    )
    assert await client.connect(timeout=PATIENCE) == (False, 1000)
    assert counted("realtime_handshakes_total", consumer="", outcome="origin") == 1


@pytest.mark.usefixtures("people", "layer")
async def test_frames_are_counted_as_clients_receive_them(counted):
    async with (
        established(NOTIFICATIONS, "alice") as one,
        established(NOTIFICATIONS, "alice") as two,
    ):
        await broadcast_notification(ALICE, {"title": "Lunch"})
        await one.send({"type": "ping", "timestamp": 1})
        await one.send({"type": "made up by a client"})
        received = [await one.receive() for _ in range(3)] + [await two.receive()]
    types = [frame["type"] for frame in received]
    assert sorted(types) == ["error", "notification", "notification", "pong"]
    for type in set(types):
        assert counted("realtime_frames_sent_total", type=type) == types.count(type)
    assert counted("realtime_frames_sent_total", type="connection.established") == 2
    assert counted("realtime_frames_received_total", type="ping") == 1
    assert counted("realtime_frames_received_total", type="invalid") == 1
    assert counted("realtime_appends_total", type="notification") == 1
    assert counted("realtime_delivery_lag_seconds_count") == 1


@pytest.mark.usefixtures("people", "layer")
async def test_frames_of_the_history_are_counted_without_a_lag(counted):
    async with established(NOTIFICATIONS, "alice") as alice:
        beginning = alice.greeting["position"]
    for number in range(3):
        await broadcast_notification(ALICE, {"n": number})
    async with established(f"{NOTIFICATIONS}?position={beginning}", "alice") as alice:
        for _ in range(3):
            await alice.receive()
    assert counted("realtime_frames_sent_total", type="notification") == 3
    assert counted("realtime_delivery_lag_seconds_count") == 0


@pytest.mark.usefixtures("people", "layer")
async def test_lost_frame_is_counted_by_how_it_was_found(counted, settings, monkeypatch):
    settings.REALTIME_TAIL_CHECK_SECONDS = 0.2
    send = publish_module._send

    async def lose_the_first(messages):
        await send([each for each in messages if each[1].get("offset") != 1])

    monkeypatch.setattr(publish_module, "_send", lose_the_first)
    async with established(NOTIFICATIONS, "alice") as alice:
        await broadcast_notification(ALICE, {"n": 1})
        await alice.receive()
    assert counted("realtime_gaps_mended_total", found_by="tail") == 1
    assert counted("realtime_gaps_mended_total", found_by="gap") == 0


@pytest.mark.usefixtures("people")
async def test_layer_that_is_away_is_counted(counted):
    away = {"address": "redis://127.0.0.1:9", "socket_connect_timeout": 1}
    layer = import_string("channels_redis.core.RedisChannelLayer")(hosts=[away])
    async with default_layer(layer):
        await broadcast_notification(ALICE, {"n": 1})
    assert counted("realtime_layer_errors_total", operation="send") == 1
    assert counted("realtime_appends_total", type="notification") == 1


def test_socket_for_which_too_much_waits_is_counted_once(counted):
    cursor = Cursor(Mock(is_closing=False), Mock())
    cursor.follows, cursor.task = True, Mock()
    for offset in range(1, 3 * MOST_WAITING):
        cursor.deliver(Place(offset, "tag"), {"type": "websocket.send", "text": "{}"})
    assert counted("realtime_slow_readers_total") == 1


def test_fetch_of_keys_is_counted_by_its_outcome(counted):
    for succeeded in (True, False, False):
        signals.keys_fetched.send_robust(object, succeeded=succeeded)
    assert counted("realtime_key_fetches_total", outcome="succeeded") == 1
    assert counted("realtime_key_fetches_total", outcome="failed") == 2
    assert REGISTRY.get_sample_value("realtime_keys_fetched_timestamp_seconds") <= time.time()


@pytest.mark.parametrize(
    ("refusal", "cause"),
    [
        (TOKEN_EXPIRED, "token_expired"),
        (SESSION_ENDED, "session_ended"),
        (USER_DISABLED, "user_disabled"),
        (Refusal(CloseCode.FORBIDDEN, "You are no member."), "forbidden"),
    ],
)
def test_lost_access_is_counted_by_its_cause(counted, refusal, cause):
    ended = Mock(is_closing=False)
    registry_module.end(ended, refusal)
    registry_module.end(Mock(is_closing=True), refusal)
    ended.end.assert_called_once_with(refusal)
    assert counted("realtime_authority_ends_total", cause=cause) == 1


class ProjectCode(Code):
    ARCHIVED = 4510, "the project is archived", "stop", None


def test_code_that_a_client_made_up_gets_no_label(counted):
    for code in (3217, 4217, 4001, ProjectCode.ARCHIVED):
        signals.connection_ended.send_robust(
            object, consumer="OrganizationEventsConsumer", code=code, seconds=1, was_let_in=False
        )
    assert counted("realtime_closes_total", code="other") == 2
    assert counted("realtime_closes_total", code="4001") == 1
    assert counted("realtime_closes_total", code="4510") == 1


def test_drain_is_shown(monkeypatch):
    try:
        signals.drain_began.send_robust(object)
        assert REGISTRY.get_sample_value("realtime_draining") == 1
    finally:
        metrics.DRAINING.set(0)


@pytest.mark.usefixtures("people", "layer")
async def test_receiver_that_fails_costs_no_frame(caplog):
    def fail(**kwargs):
        raise RuntimeError("a receiver of the project")

    signals.entry_delivered.connect(fail)
    try:
        async with established(NOTIFICATIONS, "alice") as alice:
            await broadcast_notification(ALICE, {"n": 1})
            assert (await alice.receive())["offset"] == 1
    finally:
        signals.entry_delivered.disconnect(fail)
    assert "a receiver of the project" in caplog.text


@pytest.mark.parametrize(
    ("text", "type"),
    [
        ('{"type": "notification", "notification": {}}', "notification"),
        ('{"n": 1, "type": "event"}', "event"),
        ('{"type": "with \\"quotes\\"", "n": 1}', 'with "quotes"'),
        ('{"n": {"type": "inner"}}', "None"),
    ],
)
def test_type_of_a_frame_is_read_from_its_text(text, type):
    assert frames.type_of(text) == type
