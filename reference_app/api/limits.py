"""What one client may ask of a process: every number can be set in the settings, by its name."""

import time

from django.conf import settings

DEFAULTS = {
    # Bytes of one message from a client; what clients send here has a few hundred, or a token.
    "WEBSOCKET_MAX_MESSAGE_BYTES": 65_536,
    # Bytes of one frame that is sent to a user or an organization. Daphne's limit is 1 MiB, beyond
    # which it cannot send; each process holds what it sends at the moment.
    "WEBSOCKET_MAX_FRAME_BYTES": 65_536,
    # Messages of one socket: so many in the long run, and so many at once.
    "WEBSOCKET_MESSAGES_PER_MINUTE": 120,
    "WEBSOCKET_MESSAGE_BURST": 20,
    # This many messages in a row that are answered with an error close the socket.
    "WEBSOCKET_MAX_ERRORS": 10,
    # Open sockets of one user in one process: tabs and devices.
    "WEBSOCKET_SOCKETS_PER_USER": 50,
    # Seconds from the handshake to the greeting. Daphne drops a client after 5 without a word.
    "WEBSOCKET_CONNECT_SECONDS": 4,
    # Seconds before its token expires at which a client is told.
    "WEBSOCKET_EXPIRY_NOTICE_SECONDS": 60,
    # Frames that may come for a socket while it does not take what it was sent before.
    "WEBSOCKET_MAX_BEHIND": 1_000,
    # Seconds after which streams are compared with what was heard of them, should a frame get lost.
    "WEBSOCKET_TAIL_CHECK_SECONDS": 5,
    # What a client can resume from: so many frames of a stream, and none older than so many days.
    "WEBSOCKET_HISTORY_FRAMES": 1_000,
    "WEBSOCKET_HISTORY_DAYS": 7,
    # Seconds after which everybody's right to listen is looked up again, should a signal get lost.
    "WEBSOCKET_RECHECK_SECONDS": 30,
}


def limit(name: str) -> int:
    """Return the number that the settings give, or the default."""
    return getattr(settings, name, DEFAULTS[name])


class Allowance:
    """A token bucket: `burst` messages at once, `per_minute` in the long run."""

    def __init__(self, per_minute: int, burst: int):
        self.per_second, self.burst = per_minute / 60, burst
        self.left, self.counted_at = float(burst), time.monotonic()

    def take(self) -> bool:
        """Whether one more message is allowed now."""
        now = time.monotonic()
        earned = (now - self.counted_at) * self.per_second
        self.left, self.counted_at = min(self.burst, self.left + earned), now
        if self.left < 1:
            return False
        self.left -= 1
        return True

    @property
    def full_after_ms(self) -> int:
        """Milliseconds in which an exhausted allowance becomes a whole burst again."""
        return round(self.burst / self.per_second * 1000)
