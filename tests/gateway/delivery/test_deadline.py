"""A deadline for many ends what takes too long, that and nothing else."""

import asyncio
from datetime import timedelta

import pytest

from gateway.delivery.deadline import Deadline

SOON = timedelta(milliseconds=20)


async def forever(deadline: Deadline, began: asyncio.Event | None = None) -> None:
    """Take too long."""
    with deadline.kept():
        if began is not None:
            began.set()
        await asyncio.Event().wait()


async def test_what_takes_too_long_is_a_timeout() -> None:
    """Each of several, whenever it began, and also after a time with nothing to do."""
    deadline = Deadline(SOON)
    for _ in range(2):
        began = asyncio.get_running_loop().time()
        first = asyncio.create_task(forever(deadline))
        await asyncio.sleep(SOON.total_seconds() / 2)
        outcomes = await asyncio.gather(first, forever(deadline), return_exceptions=True)
        assert [type(one) for one in outcomes] == [TimeoutError, TimeoutError]
        assert asyncio.get_running_loop().time() - began >= 1.4 * SOON.total_seconds()


async def test_what_is_done_in_time_is_left_alone() -> None:
    """What began before it and goes on, and the task that goes on after it, are not disturbed."""
    deadline = Deadline(SOON)
    with deadline.kept():
        await asyncio.sleep(0)
    with pytest.raises(TimeoutError):
        await forever(deadline)
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0


async def test_a_fault_of_the_work_is_its_own() -> None:
    """Nothing is made of it."""
    with pytest.raises(KeyError), Deadline(SOON).kept():
        raise KeyError("it")


async def test_who_is_cancelled_is_cancelled_and_not_late() -> None:
    """Also where the time is up in the same moment."""
    for pause in (timedelta(0), SOON):
        deadline, began = Deadline(SOON), asyncio.Event()
        task = asyncio.create_task(forever(deadline, began))
        await began.wait()
        if pause:
            asyncio.get_running_loop().call_later(pause.total_seconds(), task.cancel)
        else:
            task.cancel()
        outcome = (await asyncio.gather(task, return_exceptions=True))[0]
        assert isinstance(outcome, asyncio.CancelledError | TimeoutError)
        assert isinstance(outcome, asyncio.CancelledError) or pause


async def test_the_work_of_a_deadline_can_have_a_longer_one_around_it() -> None:
    """The inner one's end is a timeout of the inner one only."""
    outer, inner = Deadline(timedelta(seconds=30)), Deadline(SOON)
    with outer.kept():
        with pytest.raises(TimeoutError):
            await forever(inner)
        await asyncio.sleep(0)


async def test_nothing_is_kept_of_what_is_done() -> None:
    """However many there were."""
    deadline = Deadline(timedelta(seconds=30))
    for _ in range(1000):
        with deadline.kept():
            pass
    assert not deadline._under_way
