"""Daphne that drains, bounds what it holds, and says why it closes.

    python -m realtime.server mysite.asgi:application

It takes the arguments of `daphne`, by Daphne's own hook (`CommandLineInterface.server_class`), and
differs where Daphne was measured to fail its clients:

- On SIGTERM Daphne drops every client with 1006, and no `disconnect()` runs: `Server.drain`.
- It loses the reason of a close, and refuses 1011 and 1012 to applications (daphne#374):
  `WebSocket.close`.
- It answers a protocol error by a reset, where RFC 6455, 7.1.7, asks for a code: `failByDrop`.
- It never sends a message that is empty, and raises in an application that sends into a close that
  the server has begun: `WebSocket.send`.
- A socket whose application has ended stays open, and answers pings for ever:
  `WebSocket.application_ended`.
- It reads everything that is sent, however slow the application is: `WebSocket.onMessage` and
  `take`.
- It holds everything that is to be written, however slow the client is: `BackPressure`.
- It takes a whole body before anything can refuse it: `Request`.
- It waits for clients that send a byte now and then: `Channel`, and `Inbound` for messages.
- Silent connections take the places of others: `Connections`.
- It answers pings without end: `Inbound.onPing`.
- It believes the header `Daphne-Root-Path` of any client: `Request.process`.
- SIGHUP ends it amid its work, and a late SIGTERM spoils its exit code: `stop_on_signals`.
- systemd cannot tell when it listens: `notify`.
"""

from daphne.cli import CommandLineInterface as DaphneCommandLine

from .drain import Server


class CommandLineInterface(DaphneCommandLine):
    description = "Daphne that drains, bounds what it holds, and says why it closes"
    server_class = Server


if __name__ == "__main__":
    CommandLineInterface.entrypoint()
