"""What `realtime.server` tells systemd, which a socket of the test's stands for."""

import socket

import pytest

from classroom import Client, token
from tests.wire.servers import COMMANDS, PATIENCE, serving


@pytest.mark.full
async def test_server_says_when_it_listens_and_when_it_drains(environment, tmp_path):
    address = str(tmp_path / "notify")
    command = [*COMMANDS["realtime.server"], "config.asgi:application"]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(address)
        systemd.settimeout(PATIENCE)
        with serving(command, **environment, NOTIFY_SOCKET=address) as server:
            assert systemd.recv(100) == b"READY=1"
            assert server.accepts()
            alice = await Client.connect(f"{server.ws}/ws/notifications/", token=token("alice"))
            await alice.receive()
            server.process.terminate()
            assert systemd.recv(100) == b"STOPPING=1"
            assert await alice.closed() == 1012
            assert server.process.wait(PATIENCE) == 0
