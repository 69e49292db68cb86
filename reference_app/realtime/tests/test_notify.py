import os
import socket
import tempfile

import pytest

from ..server.notify import DRAINING, LISTENING, notify


@pytest.fixture
def short_path():
    """A folder for a socket, whose path has 107 characters at most (unix(7))."""
    with tempfile.TemporaryDirectory() as folder:
        yield folder


@pytest.mark.parametrize("kind", ["path", "abstract"])
def test_states_reach_the_socket_that_systemd_names(kind, short_path, monkeypatch):
    address = f"{short_path}/notify" if kind == "path" else f"\0notify-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(address)
        systemd.settimeout(10)
        monkeypatch.setenv("NOTIFY_SOCKET", address.replace("\0", "@"))
        notify(LISTENING)
        notify(DRAINING)
        assert [systemd.recv(100), systemd.recv(100)] == [b"READY=1", b"STOPPING=1"]


def test_without_systemd_nothing_is_sent(monkeypatch, caplog):
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    notify(LISTENING)
    assert caplog.messages == []


def test_socket_that_is_gone_is_logged_and_stops_nothing(tmp_path, monkeypatch, caplog):
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "absent"))
    notify(DRAINING)
    (message,) = caplog.messages
    assert "STOPPING=1" in message and str(tmp_path / "absent") in message
