"""What each signal does to a server, in this process; `tests/wire/` sends them to real ones."""

import signal

import pytest

from ..server import signals
from ..server.signals import ignore_signals, stop_on_signals


@pytest.fixture(autouse=True)
def usual_handlers():
    usual = {each: signal.getsignal(each) for each in signals.STOPPING}
    yield
    for each, handler in usual.items():
        signal.signal(each, handler)


@pytest.fixture
def stops(monkeypatch):
    """Each call that a signal has made the server's loop do."""
    calls = []
    monkeypatch.setattr(signals.reactor, "callFromThread", calls.append)
    return calls


def stop():
    """Stands for the server's own."""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_signal_stops_the_server(stops, number):
    signal.signal(number, signal.SIG_DFL)
    stop_on_signals(stop)
    signal.raise_signal(number)
    assert stops == [stop]


def test_second_ctrl_c_is_left_to_the_system(stops):
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    stop_on_signals(stop)
    signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is signal.SIG_DFL


def test_signal_that_was_ignored_stays_so(stops):
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    stop_on_signals(stop)
    signal.raise_signal(signal.SIGHUP)
    assert stops == []


def test_signals_are_ignored_at_the_end_except_ctrl_c():
    signal.signal(signal.SIGINT, signal.default_int_handler)
    ignore_signals()
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_IGN
    assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
