"""What was refused at the door: kept sealed for 30 days, for its sender and operations, outside the ledgers."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.base import Finding, Message
from gateway import telemetry
from gateway.errors import JournalUnavailable
from gateway.intake.findings import stored
from gateway.sealing import Sealer
from gateway.store import refusals as statements
from gateway.telemetry import log


@dataclass(frozen=True, slots=True)
class Refusal:
    """One refused record. id: the same for the same bytes under the same message id, so that a repeat is kept once."""

    id: uuid.UUID
    sender: str
    agency: str
    transport: bytes
    message: Message
    findings: tuple[Finding, ...]
    file_id: uuid.UUID | None = None
    row: int | None = None


class Refusals:
    """Keeps refused bytes, each sealed with a key of its own."""

    def __init__(self, engine: AsyncEngine, sealer: Sealer) -> None:
        self._engine = engine
        self._sealer = sealer

    async def keep(self, refused: Sequence[Refusal]) -> None:
        """Keep these. Raises JournalUnavailable: what we said is kept must be."""
        if not refused:
            return
        try:
            async with self._engine.begin() as connection:
                await statements.keep(connection, [self._row(one) for one in refused])
        except (SQLAlchemyError, OSError, TimeoutError) as error:
            log.error("refusals.failed", error=type(error).__name__, where=telemetry.where(error))
            raise JournalUnavailable("refused records cannot be kept just now") from None
        telemetry.refused.labels(refused[0].agency).inc(len(refused))
        rules = sorted({finding.rule.id for one in refused for finding in one.findings})
        log.info("records.refused", sender=refused[0].sender, count=len(refused), rules=rules)

    def _row(self, one: Refusal) -> statements.RefusalRow:
        key, wrapped = self._sealer.new_key(one.id)
        return statements.RefusalRow(
            id=one.id,
            sender=one.sender,
            agency=one.agency,
            transport=one.transport,
            received=one.message.received,
            media_type=one.message.media_type,
            file_id=one.file_id,
            row=one.row,
            findings=stored(one.findings),
            wrapped=wrapped,
            sealed=key.seal(one.id, one.message.body),
        )
