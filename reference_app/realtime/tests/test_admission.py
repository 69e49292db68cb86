"""Who gets through the door first, and how long the others wait."""

import asyncio

import pytest

from ..sockets import admission as admission_module
from ..sockets.admission import admission


@pytest.fixture(autouse=True)
def narrow_door(monkeypatch):
    monkeypatch.setattr(admission_module, "AT_ONCE", 2)


class Step:
    """A step that lasts until it is let go; `begun` are those who have begun, in their order."""

    def __init__(self):
        self.begun, self.goes_on = [], asyncio.Event()

    async def take(self, name, scope=None, step="user"):
        async with admission({} if scope is None else scope, step):
            self.begun.append(name)
            await self.goes_on.wait()


async def test_so_many_at_once_and_the_others_in_their_order():
    step = Step()
    tasks = [asyncio.create_task(step.take(name)) for name in range(5)]
    await asyncio.sleep(0)
    assert step.begun == [0, 1]
    step.goes_on.set()
    await asyncio.gather(*tasks)
    assert step.begun == [0, 1, 2, 3, 4]


async def test_one_step_does_not_keep_the_next_waiting():
    """Who is through the first goes on at once, before those who have not begun."""
    step = Step()
    tasks = [asyncio.create_task(step.take(name)) for name in range(3)]
    tasks.append(asyncio.create_task(step.take("ahead", step="stream")))
    await asyncio.sleep(0)
    assert step.begun == [0, 1, "ahead"]
    step.goes_on.set()
    await asyncio.gather(*tasks)


async def test_who_waits_too_long_is_told_so(settings):
    settings.REALTIME_CONNECT_SECONDS = 0.05
    step, patient = Step(), {"deadline": asyncio.get_running_loop().time() + 60}
    others = [asyncio.create_task(step.take(name, patient)) for name in range(2)]
    await asyncio.sleep(0)
    with pytest.raises(TimeoutError):
        await step.take("late")
    assert step.begun == [0, 1]
    step.goes_on.set()
    await asyncio.gather(*others)


async def test_all_steps_share_the_time(settings):
    settings.REALTIME_CONNECT_SECONDS = 0.05
    step, scope = Step(), {}
    with pytest.raises(TimeoutError):
        await step.take("slow", scope)
    settings.REALTIME_CONNECT_SECONDS = 60
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(step.take("slow", scope, "stream"), 5)
    assert asyncio.get_running_loop().time() < scope["deadline"] + 5


async def test_turn_that_was_not_used_is_given_back():
    step = Step()
    for _ in range(3):
        task = asyncio.create_task(step.take("gone"))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
    assert step.begun == ["gone"] * 3
