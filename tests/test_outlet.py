"""A frame goes out at once, or what is left of it is handed back."""

import asyncio
from functools import partial

import pytest

from api.outlet import Outlet, begin


class DaphneProtocol:
    """What an outlet needs of Daphne's protocol: it tells the producer when to pause."""

    def __init__(self):
        self.sent, self.producer = [], "Twisted's HTTP channel"

    def unregisterProducer(self):
        self.producer = None

    def registerProducer(self, producer, streaming):
        assert self.producer is None and streaming
        self.producer = producer


async def reply(protocol, event):
    protocol.sent.append(event)


async def test_frame_is_sent_before_push_returns():
    sent = []

    async def send(event):
        sent.append(event)

    assert Outlet(send).push("frame") is None
    assert sent == ["frame"]


async def test_what_has_to_wait_is_handed_back_and_goes_on():
    sent, reads = [], asyncio.Event()

    async def send(event):
        await reads.wait()
        await asyncio.sleep(0)
        sent.append(event)

    rest = Outlet(send).push("frame")
    assert sent == []
    reads.set()
    await rest()
    assert sent == ["frame"]


async def test_daphnes_client_that_does_not_read_holds_up_the_outlet_and_nobody_else():
    protocol = DaphneProtocol()
    outlet = Outlet(partial(reply, protocol))
    protocol.producer.pauseProducing()
    protocol.producer.pauseProducing()
    rest = asyncio.create_task(outlet.push("first")())
    second = asyncio.create_task(outlet.put("second"))
    await asyncio.sleep(0)
    assert protocol.sent == []
    protocol.producer.resumeProducing()
    await asyncio.gather(rest, second)
    assert set(protocol.sent) == {"first", "second"}
    assert outlet.push("third") is None


async def test_daphnes_client_that_is_gone_lets_go_of_who_waits():
    protocol = DaphneProtocol()
    outlet = Outlet(partial(reply, protocol))
    protocol.producer.pauseProducing()
    rest = asyncio.create_task(outlet.push("first")())
    await asyncio.sleep(0)
    protocol.producer.stopProducing()
    await rest


async def test_fault_is_raised_where_it_happens():
    async def send(event):
        raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        Outlet(send).push("frame")


async def test_fault_after_waiting_is_raised_where_the_rest_is_awaited():
    async def send():
        await asyncio.sleep(0)
        raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        await begin(send())()


async def test_cancelled_rest_never_goes_out():
    sent, reads = [], asyncio.Event()

    async def send(event):
        await reads.wait()
        sent.append(event)

    rest = asyncio.create_task(Outlet(send).push("frame")())
    await asyncio.sleep(0)
    rest.cancel()
    reads.set()
    await asyncio.wait([rest])
    await asyncio.sleep(0)
    assert sent == []
