"""How far each partition is decided, told to Kafka while the next batch is decided already.

An offset is committed only after the transaction of what stands before it. Nothing waits for its commit: if that is
lost, the records come again, and ids are claimed once.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import timedelta
from typing import Protocol

from aiokafka import TopicPartition

from gateway import telemetry
from gateway.failpoints import reach
from gateway.telemetry import log

_PATIENCE = timedelta(seconds=5)

Commit = Callable[[Mapping[TopicPartition, int]], Awaitable[None]]
"""Commits, by partition, the offset of the first record that is not decided yet."""


class Placed(Protocol):
    """A record's place in Kafka."""

    topic: str
    partition: int
    offset: int


class Offsets:
    """Commits offsets, one commit at a time; what is decided while one is under way goes with the next.

    patience: how long the last commit may take. The library tries one that fails again for ever.
    """

    def __init__(self, commit: Commit, patience: timedelta = _PATIENCE) -> None:
        self._commit = commit
        self._patience = patience
        self._closed = False
        self._decided: dict[TopicPartition, int] = {}
        self._under_way: asyncio.Task[None] | None = None

    def decided(self, records: Iterable[Placed]) -> None:
        """These records, and so all before them in their partitions, are decided, and that is committed."""
        for record in records:
            self._decided[TopicPartition(record.topic, record.partition)] = record.offset + 1
        if not self._closed and (self._under_way is None or self._under_way.done()):
            self._under_way = asyncio.create_task(self._run())

    async def settled(self) -> None:
        """Wait until no commit is under way."""
        if self._under_way is not None:
            await asyncio.wait([self._under_way])

    async def close(self) -> None:
        """Begin no other commit, and end the one under way: by itself, if that does not take it too long."""
        self._closed = True
        if self._under_way is not None:
            await asyncio.wait([self._under_way], timeout=self._patience.total_seconds())
            self._under_way.cancel()
            await asyncio.wait([self._under_way])

    async def _run(self) -> None:
        while self._decided:
            told, self._decided = self._decided, {}
            try:
                await self._commit(told)
            except Exception as error:  # a lost generation, a broker away: it goes with the next
                self._decided = told | self._decided
                log.warning("offsets.not_committed", error=type(error).__name__, where=telemetry.where(error))
                return
            reach("T5")
