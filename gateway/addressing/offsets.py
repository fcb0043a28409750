"""How far each partition is decided, told to Kafka while the next batch is decided already.

An offset is committed only after the transaction of what stands before it. Nothing waits for its commit: if that is
lost, the records come again, and ids are claimed once.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from datetime import timedelta
from typing import Protocol

from aiokafka import TopicPartition

from gateway import telemetry
from gateway.failpoints import reach
from gateway.telemetry import log

_PATIENCE = timedelta(seconds=5)
_PAUSE = timedelta(seconds=0.1)

Commit = Callable[[Mapping[TopicPartition, int]], Awaitable[None]]
"""Commits, by partition, the offset of the first record that is not decided yet."""


class Placed(Protocol):
    """A record's place in Kafka."""

    topic: str
    partition: int
    offset: int


class Offsets:
    """Commits offsets, one commit at a time; what is decided while one is under way goes with the next.

    pause: from the end of a commit to the next; a request to Kafka for each batch costs as much as deciding one record.
    patience: how long the last commit may take. The library tries one that fails again for ever.
    """

    def __init__(self, commit: Commit, *, pause: timedelta = _PAUSE, patience: timedelta = _PATIENCE) -> None:
        self._commit = commit
        self._pause = pause
        self._patience = patience
        self._closed = asyncio.Event()
        self._decided: dict[TopicPartition, int] = {}
        self._under_way: asyncio.Task[None] | None = None

    def decided(self, records: Iterable[Placed]) -> None:
        """These records, and so all before them in their partitions, are decided, and that is committed."""
        for record in records:
            self._decided[TopicPartition(record.topic, record.partition)] = record.offset + 1
        if not self._closed.is_set() and (self._under_way is None or self._under_way.done()):
            self._under_way = asyncio.create_task(self._run())

    async def settled(self) -> None:
        """Wait until all that was decided is committed, or was tried to be."""
        if self._under_way is not None:
            await asyncio.wait([self._under_way])

    async def close(self) -> None:
        """Commit what is decided by now, if that does not take too long, and nothing after it."""
        self._closed.set()
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
            await self._rest()

    async def _rest(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(self._pause.total_seconds()):
                await self._closed.wait()
