"""`lgw queue`: what has stopped and waits for somebody, one line each, by owner and due time."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.operations.reasons import REASONS

SHOWN: Final = 200
"""How many are listed at a time: as many as `lgw redrive` takes. `lgw status` counts them all."""

Kind = Literal["record", "event", "quarantine", "delivery"]

_STOPPED = text(
    """
    select * from (
        select r.id, 'record' as kind, r.state, r.reason, r.owner, r.received as since, r.due,
               r.sender || ' → ' || r.agency
               || case f.tries when 0 then '' when 1 then ', asked for once'
                               else coalesce(', asked for ' || f.tries || ' times', '') end as place,
               case r.state when 'waiting' then f.next end as again
        from records r left join fillings f on f.record_id = r.id where r.state in ('held', 'waiting', 'staged')
        union all
        select h.event_id, 'event', 'held', h.reason, h.owner, h.since, h.due, e.kind || ' for ' || h.role, null
        from holds h join events e on e.id = h.event_id where h.released is null
        union all
        select d.event_id, 'event', 'held', d.reason, d.owner, d.decided, d.due, e.kind, null
        from decisions d join events e on e.id = d.event_id
        where d.state = 'held'
          and not exists (select from decisions later where later.record_id = d.record_id
                          and later.event_id = d.event_id and later.number > d.number)
          and not exists (select from holds h where h.event_id = d.event_id)
          and not exists (select from quarantine q where q.event_id = d.event_id and q.released is null)
        union all
        select id, 'quarantine', 'quarantined', reason, owner, since, due, source, null from quarantine
        where released is null
        union all
        select id, 'delivery', state, coalesce(reason, state), owner, created, due, kind || ' → ' || recipient, null
        from deliveries where state in ('parked', 'rejected') and owner is not null
    ) as stopped
    where (cast(:owner as text) is null or owner = :owner) and (cast(:reason as text) is null or reason = :reason)
    order by due nulls last, since limit :most
    """
)


@dataclass(frozen=True, slots=True)
class Stopped:
    """One thing that waits. id is what `lgw redrive` takes; place says what it is and between whom.

    again: when the source of a pointer is asked for it next, so that nobody need do anything before.
    """

    id: uuid.UUID
    kind: Kind
    state: str
    reason: str
    owner: str
    since: datetime
    due: datetime | None
    place: str
    again: datetime | None = None

    def lines(self) -> list[str]:
        """Its id, its state, whose it is and until when; why, where, since when, and when it is asked for again."""
        due = f"due {_minute(self.due)}" if self.due and self.again is None else "no due time"
        again = f", asked for again at {_minute(self.again)}" if self.again else ""
        return [
            f"{self.id}  {self.state:<11} {self.owner:<10} {due}",
            f"  {self.reason}  {self.place}, since {_minute(self.since)}{again}",
        ]

    def as_json(self) -> dict[str, Any]:
        """The same as plain data, with what the reason means and what to do about it."""
        told = REASONS.get(self.reason)
        return {
            "id": str(self.id),
            "kind": self.kind,
            "state": self.state,
            "reason": self.reason,
            "owner": self.owner,
            "since": self.since.isoformat(),
            "due": self.due.isoformat() if self.due else None,
            "again": self.again.isoformat() if self.again else None,
            "place": self.place,
            "means": told.means if told else None,
            "mend": told.mend if told else None,
        }


async def stopped(
    connection: AsyncConnection, *, owner: str | None = None, reason: str | None = None, most: int = SHOWN
) -> list[Stopped]:
    """What waits, most urgent first."""
    rows = await connection.execute(_STOPPED, {"owner": owner, "reason": reason, "most": most})
    return [Stopped(*row) for row in rows]


def explained(waiting: Sequence[Stopped]) -> list[str]:
    """What each reason among them means, and what to do about it: one line a reason, the most urgent first."""
    reasons = dict.fromkeys(one.reason for one in waiting)
    return [f"{one}: {REASONS[one].means} {REASONS[one].mend}" for one in reasons if one in REASONS]


def _minute(at: datetime) -> str:
    return at.strftime("%d %b %H:%M")
