"""The committed figures of the bench hold what is promised; no clock of this machine is asked."""

import pytest

from realtime.protocol import frames
from tests.bench import report
from tests.bench.event_source import PADDING
from tests.bench.stand import EVENT
from tests.project.readme import SPEED

ABOUT, FOUND = report.read(SPEED)
VALUES = {(m.kind, m.server, m.layer, m.figure): m.value for m in FOUND}
SERVERS = ["daphne", "realtime.server", "uvicorn"]


def figure(name: str, server: str, kind: str = "reference") -> float:
    layer = {"reference": "pubsub", "guide": "core", "bare": ""}[kind]
    return VALUES[kind, server, layer, name]


def test_result_names_its_date_its_machine_and_its_parts():
    assert ABOUT["date"] and ABOUT["machine"]["cores"] and ABOUT["rounds"] >= 3
    assert set(report.PARTS) < set(ABOUT["versions"])


def test_events_of_the_reference_and_of_the_bare_application_have_the_same_size():
    data = {"padding": "x" * PADDING, "sent_at": 1_764_000_000.1234567}
    sent = frames.encode({"type": "event", "event_type": "measured", "data": data, "offset": 1})
    assert len(sent) == len(EVENT) == 292


@pytest.mark.parametrize(("server", "most"), [("daphne", 1.15), ("uvicorn", 1.3)])
def test_delivery_costs_hardly_more_than_the_bare_applications(server, most):
    delivery = "CPU of a delivery to 1000, µs"
    assert figure(delivery, server) <= most * figure(delivery, server, "bare")


@pytest.mark.parametrize(("server", "least"), [("daphne", 5.5), ("uvicorn", 20)])
def test_delivery_costs_a_part_of_the_guides(server, least):
    delivery = "CPU of a delivery to 1000, µs"
    assert figure(delivery, server, "guide") >= least * figure(delivery, server)


@pytest.mark.parametrize(
    ("server", "most"), [("daphne", 2.2), ("realtime.server", 2.2), ("uvicorn", 2.0)]
)
def test_connection_costs_at_most(server, most):
    assert figure("CPU of a connection, ms", server) <= most


@pytest.mark.parametrize(
    ("server", "most"), [("daphne", 45), ("realtime.server", 45), ("uvicorn", 40)]
)
def test_socket_takes_at_most(server, most):
    assert figure("memory of a socket, KB", server) <= most


@pytest.mark.parametrize("server", SERVERS)
def test_users_notified_one_by_one_miss_nothing_and_a_storm_is_let_in(server):
    for senders in (1, 50):
        assert figure(f"1000 notified by {senders}: lost, %", server) == 0
    assert figure("storm of 500: greeted, %", server) == 100
    assert figure("storm of 500: the last after, s", server) <= 15


@pytest.mark.parametrize("server", SERVERS)
def test_stalled_reader_hardly_delays_the_others(server):
    beside = figure("p99 beside a client that reads no more, ms", server)
    assert beside <= 2 * figure("p99 of the latency, ms", server)
