"""Tells systemd what the server does, where a unit has `Type=notify` (sd_notify(3))."""

import logging
import os
import socket

logger = logging.getLogger(__name__)

LISTENING, DRAINING = "READY=1", "STOPPING=1"


def notify(state: str) -> None:
    """Tell systemd a state, if it has started this process and waits for one."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
            # Linux' abstract addresses begin with a null byte, which an environment cannot hold.
            systemd.connect("\0" + address[1:] if address[0] == "@" else address)
            systemd.send(state.encode())
    except OSError as error:
        # A server that cannot say that it drains has to drain all the same.
        logger.error("systemd was not told %s at NOTIFY_SOCKET=%s: %s", state, address, error)
