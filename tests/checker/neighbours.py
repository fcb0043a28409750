"""What no failpoint stands between, in what the gateway's processes wrote down of themselves.

A crash can only be tried where a point is. So between every two neighbouring side effects of a task there must be one.
"""

from collections.abc import Iterable, Iterator
from itertools import pairwise

from tests.support.traced import Done

TOGETHER = frozenset({"produce"})
"""Effects of which many in a row are one: the records of a batch go to Kafka in one request."""


def gaps(done: Iterable[Done]) -> Iterator[tuple[str, str]]:
    """The neighbours in each task that no point separates, in order; each as often as it happened."""
    tasks: dict[str, list[Done]] = {}
    for one in done:
        tasks.setdefault(one.task, []).append(one)
    for steps in tasks.values():
        for before, after in pairwise(steps):
            if before.point or after.point:
                continue
            if before.what == after.what and before.what in TOGETHER:
                continue
            yield before.what, after.what
