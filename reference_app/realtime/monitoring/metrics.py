"""Counts what happens to sockets and streams, and shows it to Prometheus.

It needs `prometheus_client`, and listens to `signals` from its import on. No user, stream or
organization is a label, because there is no end of them.

Processes that share an address answer together where PROMETHEUS_MULTIPROC_DIR names a folder of
theirs, which is emptied before the first of them starts.
"""

import os
import time
from collections import Counter as Tally
from hmac import compare_digest
from pathlib import Path

from django.dispatch import receiver
from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram, make_asgi_app
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

from .. import signals
from ..conf import conf
from ..protocol import frames
from ..protocol.close_codes import CloseCode, Code
from ..protocol.refused_requests import NOTHING_HERE
from ..sockets.carriers import header_values
from .paths import path_in

FOLDER = os.environ.get("PROMETHEUS_MULTIPROC_DIR")
if FOLDER:
    # An earlier process with the same id has left its gauges, which would be read on.
    mark_process_dead(os.getpid(), FOLDER)

# Codes with a label of their own: ours, and those of RFC 6455, 7.4.1. A client may send any other.
CODES = {*CloseCode, *range(1000, 1016)}

# Bounds of histograms, in seconds.
OF_A_HANDSHAKE = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
OF_A_DAY = (1, 10, 60, 600, 3_600, 21_600, 86_400)


def gauge(name: str, meaning: str, labels: tuple[str, ...] = ()) -> Gauge:
    """Return a gauge, of which the values of all living processes are added."""
    return Gauge(f"realtime_{name}", meaning, labels, multiprocess_mode="livesum")


def counter(name: str, meaning: str, *labels: str) -> Counter:
    return Counter(f"realtime_{name}", meaning, labels)


def histogram(name: str, meaning: str, bounds: tuple[float, ...]) -> Histogram:
    return Histogram(f"realtime_{name}", meaning, buckets=bounds)


CONNECTIONS = gauge("connections", "Sockets that are let in", ("consumer",))
HANDSHAKES = counter("handshakes", "Handshakes that have ended", "consumer", "outcome")
CLOSES = counter("closes", "Sockets that were closed, by either side", "code")
CONNECT_SECONDS = histogram("connect_duration_seconds", "Time of a handshake", OF_A_HANDSHAKE)
CONNECTION_SECONDS = histogram("connection_duration_seconds", "Time of a socket", OF_A_DAY)
FRAMES_SENT = counter("frames_sent", "Frames that were sent to sockets", "type")
FRAMES_RECEIVED = counter("frames_received", "Messages of clients that were read", "type")
APPENDS = counter("appends", "Frames that were written to streams", "type")
DELIVERY_LAG = histogram(
    "delivery_lag_seconds", "Time from the row of a frame to its sockets", OF_A_HANDSHAKE
)
STREAMS = gauge("streams_open", "Streams that are followed")
GAPS = counter("gaps_mended", "Lost frames that were read from the rows", "found_by")
LAYER_ERRORS = counter("layer_errors", "Calls to the channel layer that failed", "operation")
SLOW_READERS = counter("slow_readers", "Sockets for which more frames waited than are held")
LOOKUP_SIZE = histogram(
    "lookup_batch_size", "What one query has looked up for sockets", (1, 10, 100, 1_000, 10_000)
)
KEY_FETCHES = counter("key_fetches", "Fetches of the issuer's keys", "outcome")
KEYS_FETCHED_AT = Gauge(
    "realtime_keys_fetched_timestamp_seconds",
    "When the issuer's keys were fetched last",
    multiprocess_mode="mostrecent",
)
AUTHORITY_ENDS = counter("authority_ends", "Open sockets that have lost their access", "cause")
DRAINING = gauge("draining", "Servers that drain")


@receiver(signals.handshake_ended)
def count_handshake(consumer, outcome, seconds, **kwargs):
    HANDSHAKES.labels(consumer, outcome).inc()
    CONNECT_SECONDS.observe(seconds)
    if outcome == "let_in":
        CONNECTIONS.labels(consumer).inc()


@receiver(signals.connection_ended)
def count_connection(consumer, code, seconds, was_let_in, **kwargs):
    CLOSES.labels(code if code in CODES or isinstance(code, Code) else "other").inc()
    if was_let_in:
        CONNECTION_SECONDS.observe(seconds)
        CONNECTIONS.labels(consumer).dec()


@receiver(signals.access_ended)
def count_access_ended(cause, **kwargs):
    AUTHORITY_ENDS.labels(cause).inc()


@receiver(signals.frame_received)
def count_frame_received(type, **kwargs):
    FRAMES_RECEIVED.labels(type).inc()


@receiver(signals.frame_sent)
def count_frame_sent(type, **kwargs):
    FRAMES_SENT.labels(type).inc()


@receiver(signals.entries_appended)
def count_appends(texts, **kwargs):
    for type, number in Tally(map(frames.type_of, texts)).items():
        APPENDS.labels(type).inc(number)


@receiver(signals.entry_delivered)
def count_delivery(text, sockets, written_at, **kwargs):
    FRAMES_SENT.labels(frames.type_of(text)).inc(sockets)
    if written_at:
        DELIVERY_LAG.observe(max(0, time.time() - written_at))


@receiver(signals.streams_changed)
def count_streams(open, **kwargs):
    STREAMS.set(open)


@receiver(signals.gap_found)
def count_gap(found_by, **kwargs):
    GAPS.labels(found_by).inc()


@receiver(signals.socket_fell_behind)
def count_slow_reader(**kwargs):
    SLOW_READERS.inc()


@receiver(signals.layer_failed)
def count_layer_error(operation, **kwargs):
    LAYER_ERRORS.labels(operation).inc()


@receiver(signals.lookup_batched)
def count_lookup(size, **kwargs):
    LOOKUP_SIZE.observe(size)


@receiver(signals.keys_fetched)
def count_key_fetch(succeeded, **kwargs):
    KEY_FETCHES.labels("succeeded" if succeeded else "failed").inc()
    if succeeded:
        KEYS_FETCHED_AT.set(time.time())


@receiver(signals.drain_began)
def note_drain(**kwargs):
    DRAINING.set(1)


class MetricsMiddleware:
    """Answers Prometheus at one path, and passes everything else on to an HTTP application.

    Only who sends `Authorization: Bearer` with REALTIME_METRICS_TOKEN is answered. For all others,
    and as long as that is not set, there is nothing at the path.
    """

    def __init__(self, application, path: str = "/metrics"):
        self.application, self.path = application, path
        self.exposition = make_asgi_app(registry_to_show())

    async def __call__(self, scope, receive, send):
        if scope["type"] != "http" or path_in(scope) != self.path:
            return await self.application(scope, receive, send)
        if not is_authorized(scope):
            return await NOTHING_HERE.answer(send)
        await self.exposition(scope, receive, send)


def registry_to_show() -> CollectorRegistry:
    if not FOLDER:
        return REGISTRY
    registry = CollectorRegistry()
    LivingProcesses(registry, FOLDER)
    return registry


class LivingProcesses(MultiProcessCollector):
    """Adds what all processes count, without the gauges of those that were killed."""

    def collect(self):
        for path in Path(FOLDER or "").glob("gauge_live*.db"):
            process = int(path.stem.rpartition("_")[2])
            if not is_alive(process):
                mark_process_dead(process, FOLDER)
        return super().collect()


def is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # another user's
        pass
    return True


def is_authorized(scope) -> bool:
    wanted = f"Bearer {conf.METRICS_TOKEN}".encode()
    given = "".join(header_values(scope, b"authorization")).encode("latin1")
    return bool(conf.METRICS_TOKEN) and compare_digest(given, wanted)
