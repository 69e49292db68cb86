"""What `realtime.server` counts: bytes that are held, and connections by what goes on with them."""

from types import SimpleNamespace
from unittest.mock import Mock

import pytest

from ..protocol.limits import Allowance
from ..server import channel as channel_module
from ..server.budget import Budget
from ..server.channel import Channel
from ..server.connections import Connections
from ..testing.patience import eventually


class Holder:
    is_unfinished = True
    has_given_way = False

    def give_way(self):
        self.has_given_way = True


def test_budget_lets_the_unfinished_holder_of_the_most_give_way():
    budget = Budget(lambda: 100)
    finished, large, small = Holder(), Holder(), Holder()
    assert budget.take(finished, 60)
    finished.is_unfinished = False
    assert budget.take(large, 30)
    assert budget.take(small, 20)
    assert [each.has_given_way for each in (finished, large, small)] == [False, True, False]
    assert budget.total == 80


def test_budget_stops_the_newcomer_that_holds_the_most_itself():
    budget = Budget(lambda: 100)
    small, large = Holder(), Holder()
    assert budget.take(small, 50)
    assert not budget.take(large, 51)
    assert large.has_given_way and not small.has_given_way


def test_budget_forgets_what_is_released_once():
    budget = Budget(lambda: 100)
    holder = Holder()
    budget.take(holder, 50)
    budget.release(holder)
    budget.release(holder)
    assert budget.total == 0


class Transport:
    """What Twisted calls a connection."""

    is_dropped = False

    def __init__(self, host=None):
        self.host = host

    def getPeer(self):
        return self

    def abortConnection(self):
        self.is_dropped = True

    def connectionLost(self, reason):
        assert self.is_dropped


@pytest.fixture
def connections(settings):
    """Connections of which four may be pending."""
    settings.REALTIME_MAX_PENDING_CONNECTIONS = 4
    return Connections(trusts_addresses=True)


def entered(connections, count, host=None):
    transports = [Transport(host) for _ in range(count)]
    for transport in transports:
        connections.enter(transport)
    return transports


def test_connection_that_waits_longest_is_dropped_for_a_new_one(connections):
    working, oldest, *others = entered(connections, 4)
    connections.move(working, connections.working)
    (new,) = entered(connections, 1)
    assert [each.is_dropped for each in (working, oldest, *others, new)] == [
        *(False, True),
        *(False, False, False),
    ]


def test_new_connection_is_dropped_where_all_are_worked_on(connections):
    for transport in entered(connections, 4):
        connections.move(transport, connections.working)
    (new,) = entered(connections, 1)
    assert new.is_dropped


def test_open_socket_is_not_pending(connections):
    for transport in entered(connections, 4):
        connections.move(transport, connections.open)
    assert not any(each.is_dropped for each in entered(connections, 4))


def test_closing_socket_is_dropped_first_where_descriptors_are_few(connections):
    connections.descriptors = 3
    closing, waiting, is_open = entered(connections, 3)
    connections.move(closing, connections.closing)
    connections.move(is_open, connections.open)
    entered(connections, 1)
    assert (closing.is_dropped, waiting.is_dropped, is_open.is_dropped) == (True, False, False)


def test_connection_that_has_left_is_in_no_place(connections):
    (transport,) = entered(connections, 1)
    connections.leave(transport)
    connections.move(transport, connections.open)
    assert not any(connections.places)


@pytest.mark.parametrize(
    ("hosts", "is_dropped"),
    [
        (["192.0.2.1"] * 3, True),
        (["2001:db8::1", "2001:db8::2", "2001:db8::3"], True),  # one client has them all
        (["192.0.2.1", "192.0.2.1", "192.0.2.2"], False),
        (["127.0.0.1"] * 3, False),  # a proxy has one address for all of its clients
        (["::ffff:127.0.0.1"] * 3, False),  # the same, on a socket that takes IPv6 too
        (["::ffff:192.0.2.1"] * 3, True),
        (["::ffff:192.0.2.1", "::ffff:192.0.2.2", "::ffff:192.0.2.3"], False),
        ([None] * 3, False),  # a unix socket
    ],
)
def test_one_network_has_half_of_the_places(connections, hosts, is_dropped):
    first, *_ = [entered(connections, 1, host)[0] for host in hosts]
    assert first.is_dropped == is_dropped


def test_address_is_not_counted_behind_a_proxy(settings):
    settings.REALTIME_MAX_PENDING_CONNECTIONS = 4
    connections = Connections(trusts_addresses=False)
    assert not any(each.is_dropped for each in entered(connections, 4, "192.0.2.1"))


async def test_refused_request_that_goes_on_is_read_now_and_then(monkeypatch):
    monkeypatch.setattr(channel_module, "PAUSE", 0.01)
    channel = Channel()
    channel.factory = SimpleNamespace(server=SimpleNamespace(discards=Allowance(1, 2)))
    channel.transport, channel.is_refused = Mock(), True
    for _ in range(2):
        channel.dataReceived(b"x")
    assert not channel.transport.pauseProducing.called
    channel.dataReceived(b"x")
    assert channel.transport.pauseProducing.call_count == 1
    await eventually(lambda: channel.transport.resumeProducing.called)
