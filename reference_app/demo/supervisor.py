"""Keeps a server running on one listening socket, so that clients wait while it restarts.

The two processes hold one pipe, and nothing is ever written to it: the server reads its end when
the supervisor closes the other, or is killed, and stops as on SIGTERM.
"""

import os
import signal
import socket
import subprocess
import sys
import threading

_watch: threading.Thread | None = None


class Supervisor:
    """Starts a server, and another when one has ended well or was killed, until it is stopped."""

    def __init__(self, command: list[str], listener: socket.socket):
        self.command, self.listener = command, listener
        self.server_end, self.own_end = os.pipe()
        self.is_stopping = False

    def run(self) -> int:
        """Return the exit status, which is the server's if it ended by a mistake."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self.stop)
        status = 0
        while status <= 0 and not self.is_stopping:
            status = self.serve_once()
            if not self.is_stopping:
                print(after(status), file=sys.stderr, flush=True)
        return 0 if self.is_stopping else status

    def serve_once(self) -> int:
        server = subprocess.Popen(
            [*self.command, f"--fd={self.listener.fileno()}"],
            stdin=self.server_end,
            pass_fds=[self.listener.fileno()],
            process_group=0,  # Ctrl+C goes to the supervisor alone
        )
        return server.wait()

    def stop(self, *_) -> None:
        if not self.is_stopping:
            self.is_stopping = True
            os.close(self.own_end)


def after(status: int) -> str:
    """Say how the server ended, and what follows; a negative status is a signal's number."""
    if status > 0:
        return f"The server failed with exit status {status}, so the demo ends."
    how = f"was ended by {signal.Signals(-status).name}" if status else "has stopped"
    return f"The server {how}. The demo starts another one."


def follow_supervisor() -> None:
    """Stop this process when its supervisor ends, which closes the standard input."""
    global _watch
    _watch = threading.Thread(target=_stop_at_the_end, name="supervisor", daemon=True)
    _watch.start()


def is_supervised() -> bool:
    return _watch is not None


def stop() -> None:
    """End this process as an operator would, so that it drains."""
    os.kill(os.getpid(), signal.SIGTERM)


def _stop_at_the_end() -> None:
    os.read(sys.stdin.fileno(), 1)
    stop()
