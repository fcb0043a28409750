"""What recipients answered about their deliveries."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

_LOCK = text("select id from deliveries where id = :id and recipient = :recipient and state <> 'restricted' for update")
_READ = text(
    """
    select d.id, d.kind, d.state, d.case_id,
           (select r.area from responsibilities r where r.case_id = d.case_id order by r.number desc limit 1) as area,
           (select c.closed is not null from cases c where c.id = d.case_id) as closed,
           array(select r.result from receipts r where r.delivery_id = d.id order by r.number) as results,
           array(select r.code from receipts r where r.delivery_id = d.id order by r.number) as codes,
           array(select r.at from receipts r where r.delivery_id = d.id order by r.number) as times
    from deliveries d
    where d.id = :id
    """
)
"""A delivery with all that was answered so far, and who is responsible for its case.

A statement of its own: one that waits for the lock would see the answers that stood before it waited.
"""

_WRITE = text(
    """
    with answered as (
        insert into receipts (delivery_id, number, result, code, at) values (:id, :number, :result, :code, :at)
    ), closed as (
        update cases set closed = :now, closed_by = :id
        where :closes and closed is null and id = (select case_id from deliveries where id = :id)
    ), gone as (
        delete from queued q using deliveries d
        where d.id = :id and :state <> 'queued' and q.recipient = d.recipient and q.position = d.position
    )
    update deliveries
    set state = :state, reason = :reason, owner = :owner, due = :due, next = null,
        offered = coalesce(offered, :now),
        acknowledged = case when :state = 'acknowledged' then coalesce(acknowledged, :now) else acknowledged end
    where id = :id
    """
)
"""Writes an answer, where it leaves the delivery, and the end of the case if it is that."""


@dataclass(frozen=True, slots=True)
class Answered:
    """A delivery, locked, and what was answered so far, in order.

    responsible: the area responsible for its case; None where there is no case, or nobody is.
    """

    id: UUID
    kind: str
    state: str
    case_id: UUID | None
    responsible: str | None
    case_closed: bool
    results: Sequence[str]
    codes: Sequence[str | None]
    times: Sequence[datetime]


@dataclass(frozen=True, slots=True)
class Answer:
    """One more answer, and where it leaves the delivery."""

    delivery: UUID
    number: int
    result: str
    code: str | None
    at: datetime
    state: str
    reason: str | None
    owner: str | None
    due: datetime | None
    closes: bool


async def lock(connection: AsyncConnection, recipient: str, delivery: UUID) -> Answered | None:
    """A recipient's own delivery, so that answers to it come one after the other; None for another's."""
    if (await connection.execute(_LOCK, {"id": delivery, "recipient": recipient})).first() is None:
        return None
    row = (await connection.execute(_READ, {"id": delivery})).one()
    return Answered(
        id=row.id,
        kind=row.kind,
        state=row.state,
        case_id=row.case_id,
        responsible=row.area,
        case_closed=bool(row.closed),
        results=row.results,
        codes=row.codes,
        times=row.times,
    )


async def write(connection: AsyncConnection, answer: Answer, now: datetime) -> None:
    """Write it down."""
    await connection.execute(
        _WRITE,
        {
            "id": answer.delivery,
            "number": answer.number,
            "result": answer.result,
            "code": answer.code,
            "at": answer.at,
            "state": answer.state,
            "reason": answer.reason,
            "owner": answer.owner,
            "due": answer.due,
            "closes": answer.closes,
            "now": now,
        },
    )
