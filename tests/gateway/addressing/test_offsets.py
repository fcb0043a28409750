"""Offsets are committed beside the work, and never before it."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from gateway.addressing.offsets import Offsets

AT_ONCE = timedelta(0)


@dataclass
class Record:
    """A record's place."""

    offset: int
    partition: int = 0
    topic: str = "custody.v1"


class Group:
    """What was committed, one commit after the other; each waits until it is let through."""

    def __init__(self) -> None:
        self.committed: list[dict[int, int]] = []
        self.under_way = 0
        self.came = asyncio.Event()
        self.through = asyncio.Semaphore(0)
        self.faults: list[KafkaError] = []

    async def commit(self, told: Mapping[TopicPartition, int]) -> None:
        """As a consumer does it."""
        assert self.under_way == 0, "two commits at a time could overtake each other"
        self.under_way += 1
        self.came.set()
        try:
            await self.through.acquire()
            if self.faults:
                raise self.faults.pop()
            self.committed.append({place.partition: offset for place, offset in told.items()})
        finally:
            self.under_way -= 1


async def test_what_is_decided_during_a_commit_goes_with_the_next() -> None:
    """Nobody waits for a commit; three batches decided during one are one commit more, of the last offsets."""
    group = Group()
    offsets = Offsets(group.commit, pause=AT_ONCE)
    offsets.decided([Record(0), Record(1)])
    await group.came.wait()
    offsets.decided([Record(2)])
    offsets.decided([Record(7, partition=1)])
    offsets.decided([Record(3)])
    group.through.release()
    group.through.release()
    await offsets.settled()
    assert group.committed == [{0: 2}, {0: 4, 1: 8}]


async def test_however_many_batches_are_decided_there_is_a_commit_only_so_often() -> None:
    """The first is committed at once, and what follows within the pause goes with the next; closing ends the pause."""
    group = Group()
    group.through.release()
    offsets = Offsets(group.commit, pause=timedelta(hours=1))
    offsets.decided([Record(0)])
    await group.came.wait()
    for number in range(1, 10):
        offsets.decided([Record(number)])
        await asyncio.wait([asyncio.create_task(offsets.settled())], timeout=0)
    assert group.committed == [{0: 1}]
    group.through.release()
    await offsets.close()
    assert group.committed == [{0: 1}, {0: 10}]


async def test_nothing_is_committed_that_was_not_decided() -> None:
    """Before anything is decided there is no commit, and waiting for one returns."""
    group = Group()
    await Offsets(group.commit).settled()
    assert group.committed == []


async def test_a_commit_that_fails_goes_with_the_next() -> None:
    """A broker that is away loses no offset: the one it did not take is told again, unless a later one is known."""
    group = Group()
    group.faults.append(KafkaError())
    offsets = Offsets(group.commit, pause=AT_ONCE)
    group.through.release()
    offsets.decided([Record(4), Record(9, partition=1)])
    await offsets.settled()
    assert group.committed == []
    group.through.release()
    offsets.decided([Record(5)])
    await offsets.settled()
    assert group.committed == [{0: 6, 1: 10}]


async def test_at_the_end_the_last_commit_is_waited_for() -> None:
    """And what is decided after that is not committed: it comes again, to no effect."""
    group = Group()
    offsets = Offsets(group.commit, pause=AT_ONCE)
    offsets.decided([Record(0)])
    await group.came.wait()
    closing = asyncio.create_task(offsets.close())
    group.through.release()
    await closing
    offsets.decided([Record(1)])
    await offsets.settled()
    assert group.committed == [{0: 1}]


async def test_a_commit_that_never_ends_holds_up_no_shutdown() -> None:
    """The library asks a broker that is away for ever; that ends with us."""
    group = Group()
    offsets = Offsets(group.commit, patience=AT_ONCE)
    offsets.decided([Record(0)])
    await group.came.wait()
    await offsets.close()
    assert (group.committed, group.under_way) == ([], 0)
