"""Writes by one transaction what several tasks send at the same time (group commit)."""

import asyncio
from collections.abc import Sequence

from asgiref.sync import sync_to_async

from ..concurrency.event_loop import create_shared_task, per_event_loop
from ..layer.publish import apublish
from ..layer.sending_loop import is_called_by_sync_code, will_soon_end
from . import outbox
from .outbox import Outgoing
from .streams import messages_of


class GroupCommit:
    """The senders of one event loop.

    A single sender is not delayed. Frames that arrive while a transaction is being written are
    written together by the next one.
    """

    def __init__(self) -> None:
        self.waiting: list[Outgoing] = []
        self.next: asyncio.Task[None] | None = None
        self.turn = asyncio.Lock()

    async def send(self, outgoing: Sequence[Outgoing]) -> None:
        """Write frames, all or none, and publish them.

        Raises what `outbox.send` raises.
        """
        if is_called_by_sync_code():
            # The thread of the caller may be in a transaction, of which only that thread can write.
            await write(outgoing)
        elif self.turn.locked():
            await self._send_with_others(outgoing)
        else:
            async with self.turn:
                await write(outgoing)

    async def _send_with_others(self, outgoing: Sequence[Outgoing]) -> None:
        self.waiting += outgoing
        if not self.next:
            self.next = create_shared_task(self._write_next())
        await asyncio.shield(self.next)

    async def _write_next(self) -> None:
        async with self.turn:
            outgoing, self.waiting, self.next = self.waiting, [], None
            await write(outgoing)


async def write(outgoing: Sequence[Outgoing]) -> None:
    """Write frames, and publish them.

    Where sync code waits for a loop that `async_to_sync` made, its own thread does both, so that
    this loop does not have to wait for the sending loop.
    """
    if will_soon_end(asyncio.get_running_loop()):
        await sync_to_async(outbox.send_and_publish)(outgoing)
    else:
        entries = await sync_to_async(outbox.send)(outgoing)
        await apublish(messages_of(entries))


@per_event_loop
def group_commit() -> GroupCommit:
    """Return the senders of the running event loop."""
    return GroupCommit()
