"""The real server of this folder, with the settings of the project."""

import signal
import socket

from ..protocol.close_codes import CloseCode
from ..testing.patience import PATIENCE
from ..testing.serving import SERVER, serving
from . import __name__ as here
from .project import OWN

HANDSHAKE = f"""\
GET {OWN} HTTP/1.1
Host: localhost
Connection: Upgrade
Upgrade: websocket
Sec-WebSocket-Version: 13
Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==

""".replace("\n", "\r\n")


def answer_to_a_stranger(port: int) -> bytes:
    """Return what a client without a token reads, until the server ends it."""
    with socket.create_connection(("127.0.0.1", port), PATIENCE) as client:
        client.sendall(HANDSHAKE.encode())
        read = b""
        while chunk := client.recv(4_096):
            read += chunk
            if CloseCode.UNAUTHORIZED.to_bytes(2) in read:
                break
        return read


def test_server_opens_a_socket_tells_why_it_closes_it_and_stops_without_a_fault():
    with serving([*SERVER, f"{here}.served:application"]) as server:
        read = answer_to_a_stranger(server.port)
        assert read.startswith(b"HTTP/1.1 101 ")
        assert b'"type":"connection.closing","code":4001' in read.replace(b" ", b"")
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(PATIENCE) == 0, "".join(server.log)
