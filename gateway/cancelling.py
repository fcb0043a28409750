"""A task that goes on after a fault must still heed that it was cancelled.

Where a task is cancelled at the very moment at which one of its task group's tasks fails, Python before 3.13 raises
the group's errors only, and the cancelling is lost on whoever catches those
(https://docs.python.org/3/whatsnew/3.13.html#asyncio).
"""

import asyncio


def heed_cancelling() -> None:
    """Raise CancelledError if this task was cancelled and nothing has come of it."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError
