"""`lgw queue`: what has stopped and waits for somebody, one line each, by owner and due time."""

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

Kind = Literal["record", "event", "quarantine", "delivery"]

_STOPPED = text(
    """
    select * from (
        select r.id, 'record' as kind, r.state, r.reason, r.owner, r.received as since, r.due,
               r.sender || ' → ' || r.agency
               || case when f.tries = 1 then ', asked for once' else coalesce(', asked for ' || f.tries || ' times', '')
                  end as place
        from records r left join fillings f on f.record_id = r.id where r.state in ('held', 'waiting', 'staged')
        union all
        select h.event_id, 'event', 'held', h.reason, h.owner, h.since, h.due, e.kind || ' for ' || h.role
        from holds h join events e on e.id = h.event_id where h.released is null
        union all
        select d.event_id, 'event', 'held', d.reason, d.owner, d.decided, d.due, e.kind
        from decisions d join events e on e.id = d.event_id
        where d.state = 'held'
          and not exists (select from decisions later where later.event_id = d.event_id and later.number > d.number)
          and not exists (select from holds h where h.event_id = d.event_id)
          and not exists (select from quarantine q where q.event_id = d.event_id and q.released is null)
        union all
        select id, 'quarantine', 'quarantined', reason, owner, since, due, source from quarantine
        where released is null
        union all
        select id, 'delivery', state, coalesce(reason, state), coalesce(owner, 'operations'), created, due,
               kind || ' → ' || recipient
        from deliveries where state in ('parked', 'rejected')
    ) as stopped
    where (cast(:owner as text) is null or owner = :owner) and (cast(:reason as text) is null or reason = :reason)
    order by due nulls last, since limit :most
    """
)


@dataclass(frozen=True, slots=True)
class Stopped:
    """One thing that waits. id is what `lgw redrive` takes; place says what it is and between whom."""

    id: uuid.UUID
    kind: Kind
    state: str
    reason: str
    owner: str
    since: datetime
    due: datetime | None
    place: str


async def stopped(
    connection: AsyncConnection, *, owner: str | None = None, reason: str | None = None, most: int = 200
) -> list[Stopped]:
    """What waits, most urgent first."""
    rows = await connection.execute(_STOPPED, {"owner": owner, "reason": reason, "most": most})
    return [Stopped(*row) for row in rows]
