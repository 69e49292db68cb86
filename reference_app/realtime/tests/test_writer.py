"""A frame goes out at once, or what is left of it is handed back."""

import asyncio
from functools import partial

import pytest

from ..delivery.eager_start import start_eagerly
from ..delivery.writer import Writer
from ..server.back_pressure import BackPressure, is_servers_own


class DaphneProtocol:
    """What an writer needs of Daphne's protocol: it tells the producer when to pause."""

    def __init__(self):
        self.sent, self.producer = [], "Twisted's HTTP channel"

    def unregisterProducer(self):
        self.producer = None

    def registerProducer(self, producer, streaming):
        assert self.producer is None and streaming
        self.producer = producer


async def reply(protocol, event):
    protocol.sent.append(event)


def known(send) -> Writer:
    """Return an writer to a server whose `send` is started at once."""
    writer = Writer(send)
    writer.is_known = True
    return writer


async def test_frame_is_sent_before_send_nowait_returns():
    sent = []

    async def send(event):
        sent.append(event)

    assert known(send).send_nowait("frame") is None
    assert sent == ["frame"]


async def test_only_a_known_servers_send_is_begun_at_once():
    sent = []

    async def send(event):
        sent.append(event)

    rest = Writer(send).send_nowait("frame")
    assert sent == []
    await rest
    assert sent == ["frame"]


async def test_send_of_daphne_and_uvicorn_is_known_and_a_wrapped_one_is_not():
    from daphne.server import Server
    from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

    from ..server.drain import Server as OurServer

    for server in (Server, OurServer):
        method = server.handle_reply.__get__(object.__new__(server))
        assert is_servers_own(partial(method, DaphneProtocol()))
    protocol = object.__new__(WebSocketsSansIOProtocol)
    assert is_servers_own(protocol.send)

    async def wrapped(event):
        await protocol.send(event)

    assert not is_servers_own(wrapped)
    assert not is_servers_own(partial(wrapped))


async def test_what_has_to_wait_is_handed_back_and_goes_on():
    sent, reads = [], asyncio.Event()

    async def send(event):
        await reads.wait()
        await asyncio.sleep(0)
        sent.append(event)

    rest = known(send).send_nowait("frame")
    assert sent == []
    reads.set()
    await rest
    assert sent == ["frame"]


async def test_daphnes_client_that_does_not_read_holds_up_the_writer_and_nobody_else():
    protocol = DaphneProtocol()
    writer = known(partial(reply, protocol))
    protocol.producer.pauseProducing()
    protocol.producer.pauseProducing()
    rest = asyncio.ensure_future(writer.send_nowait("first"))
    second = asyncio.create_task(writer.send("second"))
    await asyncio.sleep(0)
    assert protocol.sent == []
    protocol.producer.resumeProducing()
    await asyncio.gather(rest, second)
    assert set(protocol.sent) == {"first", "second"}
    assert writer.send_nowait("third") is None


async def test_daphnes_client_that_is_gone_lets_go_of_who_waits():
    protocol = DaphneProtocol()
    writer = known(partial(reply, protocol))
    protocol.producer.pauseProducing()
    rest = asyncio.ensure_future(writer.send_nowait("first"))
    await asyncio.sleep(0)
    protocol.producer.stopProducing()
    await rest


async def test_fault_is_raised_where_it_happens():
    async def send(event):
        raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        known(send).send_nowait("frame")


async def test_fault_after_waiting_is_raised_where_the_rest_is_awaited():
    async def send():
        await asyncio.sleep(0)
        raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        await start_eagerly(send())


async def test_cancelled_rest_never_goes_out():
    sent, reads = [], asyncio.Event()

    async def send(event):
        await reads.wait()
        sent.append(event)

    rest = asyncio.ensure_future(known(send).send_nowait("frame"))
    await asyncio.sleep(0)
    rest.cancel()
    reads.set()
    await asyncio.wait([rest])
    await asyncio.sleep(0)
    assert sent == []


class Awaitable:
    """An awaitable that is no coroutine, as ASGI allows."""

    def __init__(self, futures):
        self.futures = futures

    def __await__(self):
        for future in self.futures:
            yield from future
        return "done"


@pytest.mark.parametrize("waits", [0, 1, 3])
async def test_any_awaitable_is_begun_and_awaited(waits):
    futures = [asyncio.get_running_loop().create_future() for _ in range(waits)]
    rest = start_eagerly(Awaitable(futures))
    if not waits:
        return
    task = asyncio.ensure_future(rest)
    for future in futures:
        await asyncio.sleep(0)
        assert not task.done()
        future.set_result(None)
    assert await task == "done"


async def test_future_that_has_begun_to_be_awaited_can_be_awaited_by_others():
    future = asyncio.get_running_loop().create_future()
    rests = [start_eagerly(future), start_eagerly(Awaitable([future]))]
    waiting = [*map(asyncio.ensure_future, rests), asyncio.ensure_future(Awaitable([future]))]
    await asyncio.sleep(0)
    future.set_result(None)
    await asyncio.wait_for(asyncio.gather(*waiting), 5)


async def test_future_that_is_done_is_not_waited_for():
    future = asyncio.get_running_loop().create_future()
    future.set_result(None)
    assert start_eagerly(future) is None


async def test_cancellation_reaches_what_has_begun():
    cleaned = []

    async def send():
        try:
            await asyncio.Event().wait()
        finally:
            cleaned.append(True)

    rest = asyncio.ensure_future(start_eagerly(send()))
    await asyncio.sleep(0)
    rest.cancel()
    await asyncio.wait([rest])
    assert rest.cancelled() and cleaned == [True]


async def test_server_that_watches_its_transport_itself_keeps_it():
    """`realtime.server` lets `send` wait: a second producer would take the first one's place."""

    class OwnProtocol(BackPressure, DaphneProtocol):
        pass

    protocol = OwnProtocol()
    known(partial(reply, protocol))
    assert protocol.producer == "Twisted's HTTP channel"
