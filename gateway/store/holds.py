"""What waits for a decision."""

import uuid
from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import groupby

from gateway.addressing.changes import Release
from gateway.addressing.determination import Role
from gateway.addressing.subject import HeldRole, Told, Waiting
from gateway.store.arrays import arrays
from gateway.store.session import Session
from gateway.store.statement import Statement
from schemas.base import Change, Standing

# What was erased meanwhile can be decided no more, and is left out.
_OPEN = Statement(
    """
    select h.event_id, h.decision, h.role, h.person_id, h.reason, e.record_id, e.sender, e.agency, e.kind, e.change,
           e.supersedes, e.fact, e.occurred, e.recorded, e.trace, first.why ->> 'standing' as standing,
           (select max(d.number) from decisions d where d.event_id = h.event_id) as last,
           array(
               select d.recipient from deliveries d where d.event_id = h.event_id and d.change <> 'retraction'
           ) as sent
    from holds h
    join events e on e.id = h.event_id
    join decisions first on first.event_id = h.event_id and first.number = 1
    where h.released is null and h.person_id = any(cast(:persons as uuid[]))
      and exists (select from bodies b join data_keys k on k.record_id = b.record_id where b.id = h.event_id)
    order by min(h.since) over (partition by h.event_id), e.seq, h.decision, h.role
    """
)

_OF_EVENTS = Statement(
    """
    select distinct person_id from holds
    where released is null and person_id is not null and event_id = any(cast(:events as uuid[]))
    """
)

_RELEASE = Statement(
    """
    update holds h set released = :now, outcome = t.outcome
    from unnest(cast(:event_id as uuid[]), cast(:decision as smallint[]), cast(:role as text[]),
                cast(:outcome as text[])) as t(event_id, decision, role, outcome)
    where h.event_id = t.event_id and h.decision = t.decision and h.role = t.role and h.released is null
    """
)


async def read_open(session: Session, persons: Iterable[uuid.UUID]) -> list[tuple[uuid.UUID, Waiting]]:
    """What waits for these persons, in the order it came."""
    rows = await session.rows(_OPEN, {"persons": list(persons)})
    found: list[tuple[uuid.UUID, Waiting]] = []
    for _, group in groupby(rows, key=lambda row: row["event_id"]):
        held = list(group)
        row = held[0]
        told = Told(
            id=row["event_id"],
            record_id=row["record_id"],
            sender=row["sender"],
            agency=row["agency"],
            kind=row["kind"],
            change=Change(row["change"]),
            supersedes=row["supersedes"],
            fact=row["fact"],
            occurred=row["occurred"],
            recorded=row["recorded"],
            trace=row["trace"],
            referral=row["standing"] == Standing.REFERRAL,
        )
        holds = tuple(HeldRole(one["decision"], Role(one["role"]), one["reason"]) for one in held)
        found.append((row["person_id"], Waiting(told, holds, row["last"], frozenset(row["sent"]))))
    return found


async def persons_of(session: Session, events: Iterable[uuid.UUID]) -> frozenset[uuid.UUID]:
    """The persons of those of these events that wait."""
    return frozenset(person for (person,) in await session.rows(_OF_EVENTS, {"events": list(events)}))


async def release(session: Session, releases: Sequence[Release], now: datetime) -> None:
    """Holds that end."""
    rows = [(one.event_id, one.decision, one.role.value, one.outcome) for one in releases]
    await session.run(_RELEASE, {**arrays("event_id decision role outcome", rows), "now": now})
