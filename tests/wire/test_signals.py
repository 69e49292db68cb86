"""Which signals let `realtime.server` drain, and which one ends it at once."""

import asyncio
import signal

import pytest

from tests.wire.client_view import opened
from tests.wire.servers import COMMANDS, PATIENCE, serving
from tests.wire.test_server import closing_of

MISBEHAVING = [*COMMANDS["realtime.server"], "tests.wire.variants.misbehaving:application"]

DRAINING = {
    "SIGTERM": [signal.SIGTERM],
    "SIGTERM twice": [signal.SIGTERM, signal.SIGTERM],
    "SIGHUP": [signal.SIGHUP],
    "Ctrl-C": [signal.SIGINT],
    "SIGTERM, then Ctrl-C": [signal.SIGTERM, signal.SIGINT],
}


@pytest.fixture(autouse=True)
def processes_heed_ctrl_c():
    """A shell has its background jobs ignore it, and they hand that on to their children."""
    usual = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, usual)


@pytest.mark.full
@pytest.mark.parametrize("signals", DRAINING)
async def test_server_drains(signals):
    with serving(MISBEHAVING) as server:
        async with opened(server, "/ignore_the_end/") as socket:
            for each in DRAINING[signals]:
                server.process.send_signal(each)
                # The client is told at the first; the second comes during the drain.
                assert await closing_of(socket) == (1012, "The server restarts.")
        # It waits for an application that does not end, and then it cancels that.
        assert await asyncio.to_thread(server.process.wait, PATIENCE) == 0
        server.reading.join()
    assert "cancelled\n" in server.log
    assert not any("Traceback" in line for line in server.log)


async def test_second_ctrl_c_ends_the_server_at_once():
    with serving(MISBEHAVING) as server:
        async with opened(server, "/ignore_the_end/") as socket:
            server.process.send_signal(signal.SIGINT)
            assert await closing_of(socket) == (1012, "The server restarts.")
            server.process.send_signal(signal.SIGINT)
        assert await asyncio.to_thread(server.process.wait, PATIENCE) == -signal.SIGINT
        server.reading.join()
    assert "cancelled\n" not in server.log


@pytest.mark.full
async def test_exit_code_is_0_however_often_sigterm_comes():
    """Python dies of a signal that comes while it ends, and so did the server at the end."""
    with serving(MISBEHAVING) as server:
        async with opened(server, "/echo/"):
            while server.process.poll() is None:
                server.process.send_signal(signal.SIGTERM)
                await asyncio.sleep(0.01)
        assert server.process.returncode == 0


@pytest.mark.full
async def test_nohup_still_keeps_the_server():
    command = ["-c", IGNORING, *MISBEHAVING[1:]]
    with serving(command) as server:
        async with opened(server, "/echo/") as socket:
            server.process.send_signal(signal.SIGHUP)
            for _ in range(20):  # longer than a drain would leave it open
                await asyncio.sleep(0.1)
                await socket.send("Are you there?")
                assert await asyncio.wait_for(socket.recv(), PATIENCE) == "Are you there?"


IGNORING = """
import runpy, signal, sys
signal.signal(signal.SIGHUP, signal.SIG_IGN)
sys.argv = sys.argv[:1] + sys.argv[2:]
runpy.run_module("realtime.server", run_name="__main__")
"""
