"""Documents of Universal Credit, taken: decrypted, read by the department's adapter, committed or kept.

A record's place is its message id: what comes again after a crash, or because somebody set an offset back, is known,
and has one effect. What cannot be decrypted or decoded is kept in quarantine, and its neighbours go on.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import stamina
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.base import Adapter, Message
from gateway import telemetry
from gateway.clock import Clock
from gateway.errors import JournalUnavailable, Unwritable
from gateway.failpoints import reach
from gateway.ids import new_id
from gateway.intake.record import RecordRefused, RecordTaker
from gateway.intake.universal_credit.data_keys import KeyRefused, KeyService, KeyServiceAway
from gateway.intake.universal_credit.envelope import Undecodable, read_encrypted
from gateway.sealing import Sealer
from gateway.store import quarantine
from gateway.telemetry import log

MEDIA_TYPE: Final = "application/json"

_LONGEST_WAIT: Final = 30.0
"""Seconds between two tries of something that is away."""
_AWAY = (JournalUnavailable, KeyServiceAway, SQLAlchemyError, OSError, TimeoutError)
"""What comes back by itself, and is waited for."""


class Record(Protocol):
    """A record as aiokafka gives it."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    value: bytes | None


@dataclass(frozen=True, slots=True)
class DocumentTaker:
    """Takes documents. sender: the party they are taken for. longest: bytes of a record."""

    sender: str
    adapter: Adapter
    keys: KeyService
    records: RecordTaker
    engine: AsyncEngine
    sealer: Sealer
    longest: int
    clock: Clock

    async def take(self, records: Sequence[Record]) -> None:
        """Take these. When it returns each is committed, kept as a refusal, or kept in quarantine.

        Waits while the journal, the store or the key service is away. The order in which a batch is committed decides
        nothing: every document has its version.
        """
        left = dict(enumerate(records))
        async for attempt in stamina.retry_context(
            on=_is_away, attempts=None, timeout=None, wait_initial=0.2, wait_max=_LONGEST_WAIT
        ):
            with attempt:
                await self._take(left)

    async def _take(self, left: dict[int, Record]) -> None:
        """Take what is left, and leave of it only what something that is away kept from being taken."""
        numbers = list(left)
        done = await asyncio.gather(*(self._one(left[number]) for number in numbers), return_exceptions=True)
        reach("F3")
        taken = [_place(left[number]) for number, outcome in zip(numbers, done, strict=True) if outcome is True]
        if taken:
            async with self.engine.begin() as connection:
                await quarantine.clear(connection, taken, self.clock())
        failed = [outcome for outcome in done if isinstance(outcome, BaseException)]
        for number, outcome in zip(numbers, done, strict=True):
            if not isinstance(outcome, BaseException):
                del left[number]
        if failed:
            raise next((one for one in failed if not isinstance(one, _AWAY)), failed[0])

    async def _one(self, record: Record) -> bool:
        """Take one document; False if it is in quarantine."""
        try:
            body = await self._decrypted(record.value or b"")
        except Undecodable as fault:
            await self._put_aside(record, str(fault))
            return False
        message = Message(body, MEDIA_TYPE, self.clock())
        trace = telemetry.traceparent(None)
        try:
            became = await self.records.take(self.sender, self.adapter, message, _place(record), trace)
        except Exception as error:  # whatever one document provokes must not stop its topic
            if isinstance(error, _AWAY) and not isinstance(error, Unwritable):
                raise
            log.error("document.failed", topic=record.topic, error=type(error).__name__, where=telemetry.where(error))
            await self._put_aside(record, "poison")
            return False
        if isinstance(became, RecordRefused):
            rules = sorted({finding.rule.id for finding in became.findings})
            log.warning("document.refused", topic=record.topic, offset=record.offset, rules=rules)
        return True

    async def _decrypted(self, value: bytes) -> bytes:
        if len(value) > self.longest:
            raise Undecodable("too_large")
        encrypted = read_encrypted(value)
        try:
            key = await self.keys.data_key(encrypted.key_id, encrypted.sealed_key)
        except KeyRefused:
            raise Undecodable("key_refused") from None
        return encrypted.decrypted(key)

    async def _put_aside(self, record: Record, reason: str) -> None:
        now = self.clock()
        kept = new_id(now)
        key, wrapped = self.sealer.new_key(kept)
        async with self.engine.begin() as connection:
            fresh = await quarantine.put(
                connection,
                id=kept,
                source=_place(record),
                event_id=None,
                reason=reason,
                attempts=0,
                wrapped=wrapped,
                sealed=key.seal(kept, record.value or b""),
                now=now,
            )
        if fresh:
            telemetry.quarantined.labels(reason).inc()
            log.warning("document.quarantined", reason=reason, topic=record.topic, offset=record.offset)


def _place(record: Record) -> str:
    """Where a record stands. With its time: brokers that are set up anew give the same offsets again."""
    return f"{record.topic}:{record.partition}:{record.offset}@{record.timestamp}"


def _is_away(error: Exception) -> bool:
    if not isinstance(error, _AWAY):
        return False
    log.warning("documents.waiting", error=type(error).__name__, where=telemetry.where(error))
    return True
