"""Tells the channel layer of what was written, from any thread and never at the caller's cost.

A message that the layer loses, or does not take, is found again in the rows.
"""

import logging
from collections.abc import Sequence

from channels.layers import get_channel_layer
from django.db import transaction

from . import sending_loop
from .batching import group_send_many
from .layer import LAYER_ERRORS
from .streams import Appended

logger = logging.getLogger(__name__)

MESSAGE_TYPE = "stream.entry"

# Messages of one round trip.
BATCH = 500


def message_of(entry: Appended) -> dict:
    """Return the group message by which every hub hears of a new entry."""
    return {"type": MESSAGE_TYPE, **entry._asdict()}


def publish(entries: Sequence[Appended]) -> None:
    """Send the messages of entries from sync code, and wait until the layer has them."""
    _send_and_wait(_messages_of(entries))


async def apublish(entries: Sequence[Appended]) -> None:
    """Send the messages of entries from async code."""
    if entries:
        await _send(_messages_of(entries))


def send_after_commit(group: str, message: dict) -> None:
    """Send one message, which no row stands behind, when this thread's transaction commits."""

    def send():
        _send_and_wait([(group, message)])

    connection = transaction.get_connection()
    if connection.in_atomic_block or connection.get_autocommit():
        transaction.on_commit(send, robust=True)
    else:
        send()  # without autocommit Django calls no hook


def _messages_of(entries: Sequence[Appended]) -> list[tuple[str, dict]]:
    return [(entry.stream, message_of(entry)) for entry in entries]


def _send_and_wait(messages: Sequence[tuple[str, dict]]) -> None:
    if messages:
        sending_loop.submit(_send(messages)).result()


async def _send(messages: Sequence[tuple[str, dict]]) -> None:
    """Hand messages to the layer, and only log where it is down: the rows are written."""
    for start in range(0, len(messages), BATCH):
        batch = messages[start : start + BATCH]
        try:
            await group_send_many(get_channel_layer(), batch)
        except LAYER_ERRORS as error:
            rest = f" and {len(messages) - start - 1} more" if len(messages) > start + 1 else ""
            words = str(error) or type(error).__name__
            logger.error("A message for %s%s was not sent: %s", batch[0][0], rest, words)
            return  # the rest would wait as long, one batch after the other
