"""What became of each event before, and who was told of it."""

import uuid
from collections.abc import Iterable

from gateway.addressing.recipients import Chains, Holder
from gateway.store.session import Session
from gateway.store.statement import Statement

_DECIDED = Statement("select event_id from decisions where event_id = any(cast(:ids as uuid[])) and number = 1")

# A version that was overtaken before it was published was decided to be about nobody; the one before it tells.
_PERSONS = Statement(
    """
    with recursive chain (start, id, depth) as (
        select id, id, 0 from unnest(cast(:ids as uuid[])) as t(id)
        union all
        select c.start, e.supersedes, c.depth + 1
        from chain c join events e on e.id = c.id where e.supersedes is not null
    )
    select distinct on (c.start) c.start, d.person_id
    from chain c join decisions d on d.event_id = c.id
    where d.person_id is not null
    order by c.start, c.depth, d.number desc
    """
)

# Along the corrections of a fact, the last thing each recipient was told of it.
_CHAINS = Statement(
    """
    with recursive chain (start, id, depth) as (
        select id, id, 0 from unnest(cast(:ids as uuid[])) as t(id)
        union all
        select c.start, e.supersedes, c.depth + 1
        from chain c join events e on e.id = c.id where e.supersedes is not null
    )
    select told.start, told.recipient, told.role, told.agreement
    from (
        select distinct on (c.start, d.recipient) c.start, d.recipient, d.role, d.agreement, d.change
        from chain c join deliveries d on d.event_id = c.id
        order by c.start, d.recipient, c.depth, d.decision desc
    ) told
    where told.change <> 'retraction'
    order by told.start, told.recipient
    """
)


async def decided(session: Session, events: Iterable[uuid.UUID]) -> frozenset[uuid.UUID]:
    """Which of these events are decided already. Asked under the locks of their lanes, the answer stays true."""
    return frozenset(event for (event,) in await session.rows(_DECIDED, {"ids": list(events)}))


async def persons(session: Session, events: Iterable[uuid.UUID]) -> dict[uuid.UUID, uuid.UUID]:
    """The person that each of these events, or else the versions before it, was last decided to be about."""
    return dict(await session.rows(_PERSONS, {"ids": list(events)}))


async def chains(session: Session, events: Iterable[uuid.UUID]) -> Chains:
    """For each of these events, who has its fact in its version or an earlier one, and in which role."""
    asked = list(events)
    found: Chains = {event: {} for event in asked}
    for event, recipient, role, agreement in await session.rows(_CHAINS, {"ids": asked}):
        found[event][recipient] = Holder(role, agreement)
    return found
