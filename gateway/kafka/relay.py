"""The relay: committed events to Kafka, in the order of their commits, at least once.

One relay per shard, fenced by an advisory lock on the session that also reads and marks: if that session ends, so do
both. It is woken, by a commit of its own process through an event and by another's through a notification; it never
polls for work. While Kafka is away nothing is marked and the backlog stays where it is. A process may start then, so it
is the relay that has missing topics made.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any, Protocol

import stamina
from aiokafka.errors import KafkaError
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from gateway import telemetry
from gateway.clock import Clock
from gateway.failpoints import reach
from gateway.intake.chain import SHARDS
from gateway.kafka.envelope import message_key, write_headers
from gateway.store import outbox
from gateway.store.ledger import listen
from gateway.store.outbox import Unpublished
from gateway.store.session import Session, session_of
from gateway.telemetry import log
from schemas.base import topic_of

CHANNEL = "outbox"
_STANDBY = timedelta(seconds=2)
"""How often shards are tried that another process holds."""

_GATHER = timedelta(milliseconds=20)
"""How long what was published may wait for the next reading, which takes it out in the same question.

A process that ends meanwhile leaves it there, to be sent again.
"""


class Producer(Protocol):
    """What the relay asks of a Kafka producer; aiokafka's, idempotent and with acks=all."""

    async def start(self) -> None: ...

    async def stop(self) -> None: ...

    async def send(
        self, topic: str, value: bytes, key: bytes, headers: Sequence[tuple[str, bytes]]
    ) -> asyncio.Future[Any]: ...


async def _there() -> None:
    """The topics are there already."""


class Relay:
    """Publishes what the journal committed. One per process; together they share the shards.

    make_topics: creates the topics that are missing. Called whenever Kafka is connected to. Raises KafkaError.
    """

    def __init__(
        self,
        engine: AsyncEngine,
        new_producer: Callable[[], Producer],
        *,
        prefix: str,
        clock: Clock,
        make_topics: Callable[[], Awaitable[None]] = _there,
        batch: int = 500,
        at_most: int = SHARDS,
    ) -> None:
        self._engine = engine
        self._new_producer = new_producer
        self._make_topics = make_topics
        self._prefix = prefix
        self._clock = clock
        self._batch = batch
        self._at_most = at_most
        self._woken = asyncio.Event()
        self._held: list[int] = []
        self._try_shards_at = 0.0
        self.last_progress = clock()
        self.backlog = 0

    def wake(self) -> None:
        """Something was committed in this process."""
        self._woken.set()

    def holds(self, shards: Collection[int]) -> bool:
        """Whether all these shards are this relay's."""
        return set(shards) <= set(self._held)

    async def run(self) -> None:
        """Publish until cancelled, through every loss of Kafka or PostgreSQL."""
        while True:
            async for attempt in stamina.retry_context(
                on=(KafkaError, SQLAlchemyError, OSError, TimeoutError), attempts=None, timeout=None, wait_max=3.0
            ):
                with attempt:
                    await self._serve_noting_failure()

    async def _serve_noting_failure(self) -> None:
        try:
            await self._serve()
        except (KafkaError, SQLAlchemyError, OSError, TimeoutError) as error:
            log.warning("relay.interrupted", error=type(error).__name__, where=telemetry.where(error))
            raise
        finally:
            self._held, self._try_shards_at = [], 0.0

    async def _serve(self) -> None:
        await self._make_topics()
        producer = self._new_producer()
        await producer.start()
        try:
            async with self._engine.connect() as connection:
                try:
                    await self._listen(connection)
                    session = await session_of(connection)
                    await outbox.do_not_wait_for_the_disk(session)
                    while True:
                        wait = await self._drain(session, producer.send)
                        await self._rest(wait)
                finally:
                    # The locks belong to the session: close it, or the pool would keep them.
                    await connection.invalidate()
        finally:
            await producer.stop()

    async def _listen(self, connection: AsyncConnection) -> None:
        def told(*_: object) -> None:
            self._woken.set()

        await listen(connection, CHANNEL, told, told)

    async def _take_shards(self, session: Session) -> None:
        """Take those that are free. A relay with much to publish looks for them too, and as seldom."""
        missing = [shard for shard in range(SHARDS) if shard not in self._held]
        now = asyncio.get_running_loop().time()
        if len(self._held) >= self._at_most or not missing or now < self._try_shards_at:
            return
        self._try_shards_at = now + _STANDBY.total_seconds()
        taken = await outbox.try_shards(session, missing, self._at_most - len(self._held))
        if taken:
            self._held = sorted([*self._held, *taken])
            log.info("relay.shards_taken", shards=len(self._held))

    async def _drain(self, session: Session, send: Callable[..., Awaitable[asyncio.Future[Any]]]) -> float | None:
        """Publish until nothing may go out now; the seconds until something may, or None."""
        sent: Sequence[Unpublished] = ()
        while True:
            await self._take_shards(session)
            now = self._clock()
            self._woken.clear()  # what is committed from here on wakes us again; what was before is read here
            events, due = await outbox.take_out_and_read(session, sent, self._held, now, self._batch)
            self.last_progress = self._clock()
            if sent:
                reach("R4")
                log.info("events.relayed", count=len(sent))
            reach("R1")
            self.backlog = len(events)
            if not events:
                return None if due is None else max((due - self.last_progress).total_seconds(), 0.0)
            await self._publish(events, send)
            sent = events
            if len(events) < self._batch:
                await self._wait_until_woken(_GATHER.total_seconds())

    async def _publish(
        self, events: Sequence[Unpublished], send: Callable[..., Awaitable[asyncio.Future[Any]]]
    ) -> None:
        """Send in order and wait for every acknowledgement. One failure marks none: all are read and sent again."""
        waiting = [
            await send(
                self._prefix + topic_of(event.envelope.kind),
                value=event.sealed or b"",
                key=message_key(event.envelope.lane),
                headers=write_headers(event.envelope),
            )
            for event in events
        ]
        reach("R2")
        for answer in await asyncio.gather(*waiting, return_exceptions=True):
            if isinstance(answer, BaseException):
                raise answer
        reach("R3")
        for topic, count in Counter(topic_of(event.envelope.kind) for event in events).items():
            telemetry.relayed.labels(topic).inc(count)

    async def _rest(self, wait: float | None) -> None:
        """Until woken, until something settles, or, with shards still to take, until they may be free."""
        if len(self._held) < self._at_most:
            standby = max(self._try_shards_at - asyncio.get_running_loop().time(), 0.0)
            wait = standby if wait is None else min(wait, standby)
        await self._wait_until_woken(wait)

    async def _wait_until_woken(self, most: float | None) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(most):
                await self._woken.wait()


async def notify(engine: AsyncEngine) -> None:
    """Wake the relays of other processes."""
    async with engine.begin() as connection:
        await connection.execute(text("select pg_notify(:channel, '')"), {"channel": CHANNEL})
