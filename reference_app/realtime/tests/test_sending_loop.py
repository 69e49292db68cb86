"""Sync code reaches the layer on one event loop of the process, from each of its threads."""

import asyncio
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from asgiref.sync import async_to_sync

from ..layer import publish
from ..layer.sending_loop import SendingLoop, will_soon_end


@pytest.fixture
def loop():
    loop = SendingLoop()
    yield loop
    loop.stop()


async def where():
    return asyncio.get_running_loop(), threading.current_thread()


def test_every_call_runs_on_the_same_loop_in_a_thread_of_its_own(loop):
    first = loop.submit(where()).result()
    assert loop.submit(where()).result() == first
    assert first[1] is not threading.current_thread()
    assert first[1].daemon  # it keeps no process alive


def test_threads_that_are_first_at_once_start_one_loop(loop):
    together = threading.Barrier(10)

    def submit(_):
        together.wait()
        return loop.submit(where()).result()

    with ThreadPoolExecutor(10) as pool:
        assert len({*pool.map(submit, range(10))}) == 1


def test_stopped_loop_is_closed_and_another_begins_when_it_is_needed(loop):
    first, thread = loop.submit(where()).result()
    loop.stop()
    assert first.is_closed() and not thread.is_alive()
    assert loop.submit(where()).result()[0] is not first


def test_fault_is_the_callers(loop):
    async def fail():
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        loop.submit(fail()).result()


def test_sync_code_that_sends_twice_reaches_the_layer_on_the_same_loop(monkeypatch):
    """`async_to_sync` would make a loop for each call, and with it a connection to Redis."""
    loops = []

    async def note(layer, messages):
        loops.append(asyncio.get_running_loop())

    monkeypatch.setattr(publish, "group_send_many", note)
    for number in range(2):
        publish.publish([("group", {"type": "test.message", "number": number})])
    first, second = loops
    assert first is second


def test_loop_of_async_to_sync_soon_ends_and_others_stay():
    async def ends():
        return will_soon_end(asyncio.get_running_loop())

    assert async_to_sync(ends)()
    assert not asyncio.run(ends())


FORK = """
import importlib, os, sys

sending_loop = importlib.import_module(sys.argv[1])

async def answer():
    return os.getpid()

assert sending_loop.submit(answer()).result() == os.getpid()
if (child := os.fork()) == 0:
    os._exit(sending_loop.submit(answer()).result(10) != os.getpid())
assert os.waitpid(child, 0)[1] == 0
assert sending_loop.submit(answer()).result() == os.getpid()
print("both")
"""


def test_forked_process_has_a_loop_of_its_own():
    """As the workers of Celery and gunicorn are, when the parent has sent before."""
    command = [sys.executable, "-c", FORK, SendingLoop.__module__]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (0, "both\n"), done.stderr
