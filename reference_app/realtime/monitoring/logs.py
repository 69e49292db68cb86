"""Logs one line for each socket that begins and each that ends.

A record that is made while a connection is served carries the connection's id, if its handler has
the `ConnectionFilter`. Refused tokens and origins have lines of their own, with the same id.
"""

import logging

from django.dispatch import receiver

from .. import signals
from ..sockets.connection_ids import connection_id

logger = logging.getLogger(__name__)


class ConnectionFilter(logging.Filter):
    """Adds to each record the id of the connection that it is about, or "-"."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.connection = connection_id.get() or "-"
        return True


@receiver(signals.handshake_ended)
def log_handshake(consumer, outcome, seconds, **kwargs):
    if outcome == "let_in":
        fields = {"event": "socket_opened", "consumer": consumer, "seconds": round(seconds, 3)}
        logger.info("Socket opened: %s after %.3f s", consumer, seconds, extra=fields)


@receiver(signals.connection_ended)
def log_connection(consumer, code, seconds, was_let_in, **kwargs):
    fields = {"event": "socket_closed", "consumer": consumer, "code": int(code)}
    fields |= {"seconds": round(seconds, 3), "was_let_in": was_let_in}
    word = "closed" if was_let_in else "refused"
    logger.info("Socket %s: %s, %d after %.3f s", word, consumer, code, seconds, extra=fields)
