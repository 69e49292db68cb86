"""Which signals let a server end its work, and which one ends it at once."""

import signal
from collections.abc import Callable

from twisted.internet import reactor

# Those that the system knows, in which Windows has no SIGHUP.
STOPPING = [
    getattr(signal, name) for name in ("SIGTERM", "SIGINT", "SIGHUP") if hasattr(signal, name)
]


def stop_on_signals(stop: Callable[[], None]) -> None:
    """Call `stop` on SIGTERM, on SIGHUP and on Ctrl-C.

    A second Ctrl-C ends the process at once. `nohup` has SIGHUP ignored, and so it stays.
    """

    def handle(number, frame):
        if number == signal.SIGINT:
            signal.signal(signal.SIGINT, signal.SIG_DFL)
        reactor.callFromThread(stop)

    for each in STOPPING:
        if signal.getsignal(each) is not signal.SIG_IGN:
            signal.signal(each, handle)


def ignore_signals() -> None:
    """Let the exit code stay 0, because Python would die of a signal that comes while it ends."""
    for each in STOPPING:
        if each != signal.SIGINT:
            signal.signal(each, signal.SIG_IGN)
