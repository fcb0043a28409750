"""Canonical events from Kafka, decided in batches: one transaction each, its offset committed last.

Nothing here may fail quietly, and nothing may stop a partition. What cannot be decoded goes to quarantine. A batch
that fails is halved until the event at fault stands alone; that one is tried again a few times, each try counted
before the work, and then kept with its reason while its neighbours flow on. Only a store that is away makes the batch
wait.
"""

import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, contextmanager
from dataclasses import dataclass
from typing import Protocol

import stamina
from pydantic import ValidationError
from sqlalchemy.exc import DBAPIError, InterfaceError, InternalError, OperationalError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from gateway import telemetry
from gateway.addressing.address import Arrived, Tools, address
from gateway.addressing.offsets import Offsets
from gateway.addressing.suspicion import UNCOUNTED_DEATHS, groups
from gateway.clock import Clock
from gateway.delivery.delivery import Delivery
from gateway.failpoints import reach
from gateway.ids import new_id
from gateway.kafka.envelope import Envelope, Undecodable, read_headers
from gateway.sealing import DataKey, Sealer, Unreadable
from gateway.store import quarantine
from gateway.store.data_keys import data_keys
from gateway.store.session import Session, session
from gateway.telemetry import log
from schemas.base import Change, Retraction
from schemas.catalogue import CATALOGUE, decode

PATIENCE = 3
"""How often an event is tried before it is put in quarantine; a death with it under way counts as a try."""

_CAREFUL = 1000
"""How many records are counted before the work after a run that died."""


class Record(Protocol):
    """A Kafka record as aiokafka gives it: bytes and coordinates, nothing decoded."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes]]


@dataclass(frozen=True, slots=True)
class Headed:
    """A record whose headers are those of a canonical event."""

    record: Record
    envelope: Envelope


class AddressingConsumer:
    """Decides batches of records. `handle` returns when each of them is decided, held or in quarantine.

    Couriers, of this process and of others, hear of new deliveries by the announcement that is part of the transaction.
    hand_over: is given them once they are committed; what it does not take is read from the store. sessions: gives the
    session of each batch; without it they come out of the engine's pool.
    """

    def __init__(
        self,
        engine: AsyncEngine,
        *,
        sealer: Sealer,
        tools: Tools,
        clock: Clock,
        careful: bool = False,
        hand_over: Callable[[Sequence[Delivery]], None] = lambda _: None,
        sessions: Callable[[], AbstractAsyncContextManager[Session]] | None = None,
    ) -> None:
        self._engine = engine
        self._session = sessions or (lambda: session(engine))
        self._sealer = sealer
        self._tools = tools
        self._clock = clock
        self._careful = _CAREFUL if careful else 0
        self._hand_over = hand_over
        self._interrupted: set[uuid.UUID] = set()
        self.in_hand = 0
        self.last_progress = clock()

    async def handle(self, records: Sequence[Record]) -> None:
        """Decide these records, in order. Waits while the store is away; raises nothing else than cancellation."""
        reach("T1")
        self.in_hand, self.last_progress = len(records), self._clock()
        try:
            await self._settle(records)
        except Exception as error:
            if not _store_is_away(error):
                raise
            async for attempt in stamina.retry_context(on=_store_is_away, attempts=None, timeout=None, wait_max=3.0):
                with attempt:
                    await self._settle(records)
        self._careful -= len(records)
        self.in_hand, self.last_progress = 0, self._clock()

    async def _settle(self, records: Sequence[Record]) -> None:
        headed = await self._behead(records)
        if self._careful > 0:
            await self._carefully(headed)
        else:
            await self._decide(headed)

    async def _behead(self, records: Sequence[Record]) -> list[Headed]:
        headed = []
        for record in records:
            try:
                headed.append(Headed(record, read_headers(record.headers, record.key)))
            except Undecodable as fault:
                await self._put_aside(record, None, str(fault), 0)
        return headed

    async def _carefully(self, batch: Sequence[Headed]) -> None:
        """Decide a batch that may hold what killed the last run: each record counted before it is worked on."""
        async with self._engine.begin() as connection:
            tried = await quarantine.tried(connection, [one.envelope.id for one in batch])
        for group in groups([tried.get(one.envelope.id, 0) for one in batch]):
            await self._together(batch[group])

    async def _together(self, batch: Sequence[Headed]) -> None:
        if len(batch) == 1:
            await self._alone(batch[0], deaths=UNCOUNTED_DEATHS)
            return
        events = [one.envelope.id for one in batch]
        async with self._engine.begin() as connection:
            await quarantine.count_tries(connection, events, before=UNCOUNTED_DEATHS)
        reach("T2")
        with self._one_try(events):
            await self._decide(batch)
            async with self._engine.begin() as connection:
                await quarantine.forget_tries(connection, events)

    @contextmanager
    def _one_try(self, events: Sequence[uuid.UUID]) -> Iterator[None]:
        """A try that was counted. One that the store interrupts goes on when the store is back, and is the same try."""
        self._interrupted.difference_update(events)
        try:
            yield
        except (SQLAlchemyError, OSError, TimeoutError) as error:
            if _store_is_away(error):
                self._interrupted.update(events)
            raise

    async def _decide(self, batch: Sequence[Headed]) -> None:
        if not batch:
            return
        try:
            await self._work(batch)
        except (SQLAlchemyError, OSError, TimeoutError) as error:
            if _store_is_away(error):
                raise
            await self._halve(batch, error)
        except Exception as error:  # whatever one event provokes must not stop its neighbours
            await self._halve(batch, error)

    async def _halve(self, batch: Sequence[Headed], error: Exception) -> None:
        log.warning("batch.halved", count=len(batch), error=type(error).__name__, where=telemetry.where(error))
        if len(batch) == 1:
            await self._alone(batch[0])
            return
        half = len(batch) // 2
        await self._decide(batch[:half])
        await self._decide(batch[half:])

    async def _alone(self, one: Headed, deaths: int = 0) -> None:
        """Try one event alone, its try counted before the work, so that one that kills the process is counted too.

        deaths: in how many it may have been under way before it was ever counted.
        """
        event = one.envelope.id
        while True:
            another = 0 if event in self._interrupted else 1
            async with self._engine.begin() as connection:
                count = await quarantine.count_try(connection, event, before=deaths, another=another)
            reach("T2")
            if count > PATIENCE:
                await self._put_aside(one.record, event, "poison", count - 1)
                return
            try:
                with self._one_try([event]):
                    await self._work([one])
                    async with self._engine.begin() as connection:
                        await quarantine.forget_tries(connection, [event])
            except (SQLAlchemyError, OSError, TimeoutError) as error:
                if _store_is_away(error):
                    raise
                log.warning("event.failed", event_id=str(event), attempt=count, error=type(error).__name__)
            except Exception as error:  # as above; the event is counted, and kept when patience is spent
                log.warning(
                    "event.failed",
                    event_id=str(event),
                    attempt=count,
                    error=type(error).__name__,
                    where=telemetry.where(error),
                )
            else:
                return

    async def _work(self, batch: Sequence[Headed]) -> None:
        """Open the bodies, and decide in one transaction."""
        faults: list[tuple[Headed, str]] = []
        async with self._session() as opened:
            arrived = await self._open(opened, batch, faults)
            done = await address(opened, arrived, self._clock(), self._tools)
        reach("T4")
        for one, reason in faults:
            await self._put_aside(one.record, one.envelope.id, reason, 0)
        for state, count in done.states.items():
            telemetry.addressed.labels(state).inc(count)
        log.info("events.addressed", count=len(batch), deliveries=done.deliveries, held=done.states.get("held", 0))
        if done.queued:
            reach("D2")
            self._hand_over(done.queued)

    async def _open(self, session: Session, batch: Sequence[Headed], faults: list[tuple[Headed, str]]) -> list[Arrived]:
        keys = await data_keys(session, self._sealer, [one.envelope.record_id for one in batch])
        arrived = []
        for one in batch:
            key = keys.get(one.envelope.record_id)
            if key is None:
                faults.append((one, "erased"))
                continue
            try:
                arrived.append(_open(one, key))
            except (Unreadable, ValidationError, KeyError) as error:
                faults.append((one, _reason(error)))
        return arrived

    async def _put_aside(self, record: Record, event: uuid.UUID | None, reason: str, attempts: int) -> None:
        now = self._clock()
        kept = new_id(now)
        key, wrapped = self._sealer.new_key(kept)
        async with self._engine.begin() as connection:
            await quarantine.put(
                connection,
                id=kept,
                # With its time: a Kafka that was wiped gives the same offsets again to other records.
                source=f"{record.topic}:{record.partition}:{record.offset}@{record.timestamp}",
                event_id=event,
                reason=reason,
                attempts=attempts,
                wrapped=wrapped,
                sealed=key.seal(kept, record.value or b""),
                now=now,
            )
        reach("T6")
        telemetry.quarantined.labels(reason if event else "undecodable").inc()
        log.warning("record.quarantined", reason=reason, topic=record.topic, offset=record.offset)


def _open(one: Headed, key: DataKey) -> Arrived:
    value = one.record.value or b""
    body = key.open(one.envelope.id, value)
    if one.envelope.change is Change.RETRACTION:
        return Arrived(one.envelope, Retraction.model_validate_json(body), key, len(body))
    if one.envelope.kind not in CATALOGUE:
        raise KeyError("kind")
    return Arrived(one.envelope, decode(one.envelope.kind, body), key, len(body))


def _reason(error: Exception) -> str:
    if isinstance(error, Unreadable):
        return "unreadable"
    return "kind_unknown" if isinstance(error, KeyError) else "undecodable"


def _store_is_away(error: BaseException) -> bool:
    """Whether the store, and not the work, is at fault: then everybody waits."""
    if isinstance(error, DBAPIError):
        state = str(getattr(error.orig, "sqlstate", None) or "")
        return (
            error.connection_invalidated
            or isinstance(error, OperationalError | InterfaceError)
            or (isinstance(error, InternalError) and not state)  # the driver's own: its session is being closed
            or state[:2] in {"08", "53", "57", "58"}
            or state in {"40001", "40P01"}
        )
    return isinstance(error, OSError | TimeoutError)


async def settle_then_commit(consumer: AddressingConsumer, records: Sequence[Record], offsets: Offsets) -> None:
    """Decide a batch, and only then have its offsets committed."""
    await consumer.handle(records)
    offsets.decided(records)
