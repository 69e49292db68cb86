"""Messages for one reader, in their order."""

import asyncio

from ..sockets.mailboxes import Mailbox


async def test_messages_are_taken_in_the_order_they_came():
    inbox = Mailbox()
    for number in range(3):
        inbox.put({"number": number})
    assert [(await inbox.get())["number"] for _ in range(3)] == [0, 1, 2]


async def test_reader_waits_for_what_comes_later():
    inbox = Mailbox()
    reading = asyncio.create_task(inbox.get())
    await asyncio.sleep(0)
    assert not reading.done()
    inbox.put({"number": 1})
    inbox.put({"number": 2})
    assert (await reading, await inbox.get()) == ({"number": 1}, {"number": 2})


async def test_reader_that_gave_up_loses_nothing():
    inbox = Mailbox()
    reading = asyncio.create_task(inbox.get())
    await asyncio.sleep(0)
    reading.cancel()
    await asyncio.wait([reading])
    inbox.put({"number": 1})
    assert await inbox.get() == {"number": 1}
