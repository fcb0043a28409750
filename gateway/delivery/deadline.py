"""One deadline for many: what is under way together may take equally long, so it ends in the order it began.

A timer for each request would cost a tenth of the request; the first that is under way has the only one.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta


class _Turn:
    """One piece of work. cancelling: how often its task was to be cancelled before; over: its time is."""

    __slots__ = ("cancelling", "ends", "over", "task")

    def __init__(self, task: "asyncio.Task[object]", ends: float) -> None:
        self.task = task
        self.ends = ends
        self.cancelling = task.cancelling()
        self.over = False


class Deadline:
    """How long each piece of work may take. Made and used on one event loop."""

    def __init__(self, within: timedelta) -> None:
        self._within = within.total_seconds()
        self._under_way: dict[_Turn, None] = {}
        self._timer: asyncio.TimerHandle | None = None

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Do something within the deadline. Raises TimeoutError, as `asyncio.timeout` does."""
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("only a task can be stopped")
        turn = _Turn(task, asyncio.get_running_loop().time() + self._within)
        self._under_way[turn] = None
        if self._timer is None:
            self._set_timer()
        try:
            yield
        except BaseException as ended:
            if turn.over and task.uncancel() <= turn.cancelling and isinstance(ended, asyncio.CancelledError):
                raise TimeoutError from ended
            raise
        finally:
            self._under_way.pop(turn, None)

    def _end(self) -> None:
        """Stop what has had its time, and wait for the next."""
        now = asyncio.get_running_loop().time()
        for turn in tuple(self._under_way):
            if turn.ends > now:
                break
            del self._under_way[turn]
            turn.over = True
            turn.task.cancel()
        self._set_timer()

    def _set_timer(self) -> None:
        first = next(iter(self._under_way), None)
        self._timer = None if first is None else asyncio.get_running_loop().call_at(first.ends, self._end)
