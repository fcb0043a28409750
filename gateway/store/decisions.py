"""What became of each event: the claim, its decisions, and who was told."""

import uuid
from collections.abc import Iterable, Sequence
from datetime import datetime

import orjson
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.addressing.changes import Decision
from gateway.addressing.recipients import Chains, Holder
from gateway.store.arrays import arrays

# Whoever claims the same event waits here for the one that came first. The state is filled in before the commit.
_CLAIM = text(
    """
    insert into decisions (event_id, number, state, decided)
    select id, 1, 'held', :now from unnest(cast(:ids as uuid[])) as t(id) order by id
    on conflict do nothing
    returning event_id
    """
)

# A version that was overtaken before it was published was decided to be about nobody; the one before it tells.
_PERSONS = text(
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
_CHAINS = text(
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

_FILL = text(
    """
    update decisions d set
        state = t.state, reason = t.reason, owner = t.owner, due = t.due, person_id = t.person_id, case_id = t.case_id,
        deliveries = t.deliveries, holds = t.holds, why = cast(t.why as jsonb)
    from unnest(cast(:event_id as uuid[]), cast(:number as smallint[]), cast(:state as text[]),
                cast(:reason as text[]), cast(:owner as text[]), cast(:due as timestamptz[]),
                cast(:person_id as uuid[]), cast(:case_id as uuid[]), cast(:deliveries as smallint[]),
                cast(:holds as smallint[]), cast(:why as text[]))
         as t(event_id, number, state, reason, owner, due, person_id, case_id, deliveries, holds, why)
    where d.event_id = t.event_id and d.number = t.number
    """
)

_ADD = text(
    """
    insert into decisions
        (event_id, number, state, reason, owner, due, person_id, case_id, deliveries, holds, why, decided)
    select event_id, number, state, reason, owner, due, person_id, case_id, deliveries, holds, cast(why as jsonb), :now
    from unnest(cast(:event_id as uuid[]), cast(:number as smallint[]), cast(:state as text[]),
                cast(:reason as text[]), cast(:owner as text[]), cast(:due as timestamptz[]),
                cast(:person_id as uuid[]), cast(:case_id as uuid[]), cast(:deliveries as smallint[]),
                cast(:holds as smallint[]), cast(:why as text[]))
         as t(event_id, number, state, reason, owner, due, person_id, case_id, deliveries, holds, why)
    """
)


async def claim(connection: AsyncConnection, events: Iterable[uuid.UUID], now: datetime) -> frozenset[uuid.UUID]:
    """Claim these events, and tell which of them nobody claimed before."""
    rows = await connection.execute(_CLAIM, {"ids": list(events), "now": now})
    return frozenset(row.event_id for row in rows)


async def persons(connection: AsyncConnection, events: Iterable[uuid.UUID]) -> dict[uuid.UUID, uuid.UUID]:
    """The person that each of these events, or else the versions before it, was last decided to be about."""
    rows = await connection.execute(_PERSONS, {"ids": list(events)})
    return {row.start: row.person_id for row in rows}


async def chains(connection: AsyncConnection, events: Iterable[uuid.UUID]) -> Chains:
    """For each of these events, who has its fact in its version or an earlier one, and in which role."""
    asked = list(events)
    found: Chains = {event: {} for event in asked}
    for row in await connection.execute(_CHAINS, {"ids": asked}):
        found[row.start][row.recipient] = Holder(row.role, row.agreement)
    return found


async def write(connection: AsyncConnection, decisions: Sequence[Decision], now: datetime) -> None:
    """Fill in the claims, and add the decisions that were made again."""
    first = [_row(one) for one in decisions if one.number == 1]
    later = [_row(one) for one in decisions if one.number > 1]
    names = "event_id number state reason owner due person_id case_id deliveries holds why"
    if first:
        await connection.execute(_FILL, arrays(names, first))
    if later:
        await connection.execute(_ADD, {**arrays(names, later), "now": now})


def _row(one: Decision) -> tuple[object, ...]:
    return (
        one.event_id,
        one.number,
        one.state,
        one.reason,
        one.owner,
        one.due,
        one.person_id,
        one.case_id,
        one.deliveries,
        one.holds,
        orjson.dumps(one.why).decode(),
    )
