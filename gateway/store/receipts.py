"""How far a sender's record got: the record, its events, their decisions, deliveries, holds and receipts."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

_RECORD = text(
    """
    select id, agency, received, state, reason, owner, due, repeats, findings, file_id, "row"
    from records where id = :id and sender = :sender
    """
)

_EVENTS = text(
    """
    with recursive told (event_id, teller, record_id, change, supersedes) as (
        select id, id, record_id, change, supersedes from events where record_id = :id
        union all
        select told.event_id, before.id, before.record_id, before.change, before.supersedes
        from told join events before on before.id = told.supersedes
        where told.change = 'retraction'
    )
    select e.id, e.kind, e.change, e.supersedes, e.occurred, e.due,
           d.state as decision, d.reason, d.owner, d.due as decision_due, d.decided,
           t.teller, t.record_id as teller_record, k.wrapped, b.sealed,
           (select jsonb_agg(jsonb_build_object(
                'role', x.role, 'recipient', x.recipient, 'state', x.state, 'reason', x.reason, 'owner', x.owner,
                'due', x.due, 'queued', x.created, 'offered', x.offered, 'acknowledged', x.acknowledged,
                'results', coalesce((select jsonb_agg(
                    jsonb_build_object('result', r.result, 'code', r.code, 'at', r.at) order by r.number)
                    from receipts r where r.delivery_id = x.id), '[]')) order by x.decision, x.role desc, x.recipient)
            from deliveries x where x.record_id = e.record_id and x.event_id = e.id) as deliveries,
           (select jsonb_agg(jsonb_build_object(
                'role', h.role, 'reason', h.reason, 'owner', h.owner, 'since', h.since, 'due', h.due) order by h.role)
            from holds h where h.event_id = e.id and h.released is null) as holds
    from events e
    left join lateral (
        select * from decisions where record_id = e.record_id and event_id = e.id order by number desc limit 1
    ) d on true
    left join told t on t.event_id = e.id and t.change <> 'retraction'
    left join data_keys k on k.record_id = t.record_id
    left join bodies b on b.record_id = t.record_id and b.id = t.teller
    where e.record_id = :id
    order by e.seq
    """
)
"""Everything about a record's events in one statement.

A retraction tells nothing of itself, so its teller is the event it takes back.
"""


@dataclass(frozen=True, slots=True)
class RecordRow:
    """The record; see the table for what each is."""

    id: uuid.UUID
    agency: str
    received: datetime
    state: str
    reason: str | None
    owner: str | None
    due: datetime | None
    repeats: int
    findings: list[dict[str, str]]
    file_id: uuid.UUID | None
    row: int | None


@dataclass(frozen=True, slots=True)
class EventRow:
    """One event with its newest decision (None before it is decided), its deliveries and its open holds.

    teller: the event whose sealed body, of record teller_record, says whether this one opens a case; wrapped and
    sealed are None where it was erased.
    """

    id: uuid.UUID
    kind: str
    change: str
    supersedes: uuid.UUID | None
    occurred: datetime
    due: datetime | None
    decision: str | None
    reason: str | None
    owner: str | None
    decision_due: datetime | None
    decided: datetime | None
    teller: uuid.UUID | None
    teller_record: uuid.UUID | None
    wrapped: bytes | None
    sealed: bytes | None
    deliveries: list[dict[str, Any]] | None
    holds: list[dict[str, Any]] | None


async def record(connection: AsyncConnection, record_id: uuid.UUID, sender: str) -> RecordRow | None:
    """The sender's record of this id; None for another's and for none at all."""
    row = (await connection.execute(_RECORD, {"id": record_id, "sender": sender})).first()
    return None if row is None else RecordRow(**row._mapping)


async def events(connection: AsyncConnection, record_id: uuid.UUID) -> Sequence[EventRow]:
    """The events a record was translated into, in their order."""
    return [EventRow(**row._mapping) for row in await connection.execute(_EVENTS, {"id": record_id})]
