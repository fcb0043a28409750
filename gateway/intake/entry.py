"""One record on its way into the journal: what it is, what became of it, and its row."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import orjson

from adapters.base import Accepted, Finding, Held, Ignored
from gateway.sealing import BlindIndex
from gateway.store.journal import RecordRow
from schemas.base import Fact

_DUE = timedelta(days=1)
"""How soon somebody has to look at a record that is held."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One record to commit.

    transport: keyed hash of the sender's message id. body_hash: keyed hash of the bytes. body: as received.
    """

    sender: str
    agency: str
    transport: bytes
    body_hash: bytes
    body: bytes
    media_type: str
    received: datetime
    outcome: Accepted | Held | Ignored
    trace: str
    file_id: uuid.UUID | None = None
    row: int | None = None


@dataclass(frozen=True, slots=True)
class Taken:
    """The record is committed. repeat: it had been before, under the same id and with the same body."""

    record_id: uuid.UUID
    state: str
    repeat: bool


@dataclass(frozen=True, slots=True)
class Clash:
    """The same message id came before with another body; record_id is that one's receipt."""

    record_id: uuid.UUID


def transport_of(index: BlindIndex, sender: str, told_id: str) -> bytes:
    """What a message is known by: a keyed hash of its sender's own id of it, or of what stands for that."""
    return index.of("transport", f"{sender}|{told_id}")


def filling_id(record_id: uuid.UUID) -> uuid.UUID:
    """The id of the body that is a record with what its source answered."""
    return uuid.uuid5(record_id, "filling")


def facts_of(outcome: Accepted | Held | Ignored) -> tuple[Fact, ...]:
    """What the record tells; nothing, unless it is accepted."""
    return outcome.facts if isinstance(outcome, Accepted) else ()


def state_of(outcome: Accepted | Held | Ignored) -> str:
    """The record's state on the ledger."""
    match outcome:
        case Accepted():
            return "translated"
        case Held():
            return "waiting" if outcome.reason == "pointer_not_filled" else "held"
        case Ignored():
            return "ignored"


def record_row(entry: Entry, record_id: uuid.UUID, lane: bytes | None, events: int, repeats: int) -> RecordRow:
    """The record as the journal writes it. lane: keyed hash. events, repeats: of the facts it tells."""
    outcome = entry.outcome
    reason = outcome.reason if isinstance(outcome, Held) else outcome.name if isinstance(outcome, Ignored) else None
    findings = () if isinstance(outcome, Ignored) else outcome.findings
    return RecordRow(
        id=record_id,
        sender=entry.sender,
        agency=entry.agency,
        transport=entry.transport,
        body_hash=entry.body_hash,
        received=entry.received,
        state=state_of(outcome),
        reason=reason,
        owner="operations" if isinstance(outcome, Held) else None,
        due=entry.received + _DUE if isinstance(outcome, Held) else None,
        media_type=entry.media_type,
        lane=lane,
        events=events,
        repeats=repeats,
        file_id=entry.file_id,
        row=entry.row,
        findings=findings_told(findings),
        trace=entry.trace,
    )


def findings_told(findings: Sequence[Finding]) -> str:
    """Rules, fields and details as JSON; no value is among them."""
    if not findings:
        return "[]"
    told = [{"rule": one.rule.id, "field": one.field, "detail": one.detail} for one in findings]
    return orjson.dumps(told).decode()
