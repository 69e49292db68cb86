"""Sends messages to the channel layer, from any thread.

A layer that fails never fails the caller: a message that stands for a row is found again there.
"""

import logging
from collections.abc import Sequence
from typing import Any

from channels.layers import BaseChannelLayer, get_channel_layer
from django.db import transaction

from ..signals import layer_failed
from . import sending_loop
from .batching import Message, group_send_many
from .timeouts import LAYER_ERRORS

logger = logging.getLogger(__name__)

# Messages of one round trip.
BATCH = 500


def publish(messages: Sequence[Message]) -> None:
    """Send messages from sync code, and wait until the layer has them."""
    if messages:
        sending_loop.submit(_send(messages)).result()


async def apublish(messages: Sequence[Message]) -> None:
    """Send messages from async code."""
    if messages:
        await _send(messages)


def send_after_commit(group: str, message: dict[str, Any]) -> None:
    """Send one message, which is in no row, when this thread's transaction commits."""

    def send() -> None:
        publish([(group, message)])

    connection = transaction.get_connection()
    if connection.in_atomic_block or connection.get_autocommit():
        transaction.on_commit(send, robust=True)
    else:
        send()  # without autocommit Django calls no hook


async def _send(messages: Sequence[Message]) -> None:
    """Hand messages to the layer, and only log where it is down, because the rows are written."""
    for start in range(0, len(messages), BATCH):
        batch = messages[start : start + BATCH]
        try:
            await group_send_many(get_channel_layer(), batch)
        except LAYER_ERRORS as error:
            layer_failed.send_robust(BaseChannelLayer, operation="send")
            rest = f" and {len(messages) - start - 1} more" if len(messages) > start + 1 else ""
            words = str(error) or type(error).__name__
            logger.error("A message for %s%s was not sent: %s", batch[0][0], rest, words)
            return  # the rest would wait as long, one batch after the other
