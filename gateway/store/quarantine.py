"""What could not be decoded or addressed: kept with reason, owner and sealed bytes, and driven again after a fix."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.store.lookup import locks_of

DUE = timedelta(hours=4)

_LANES = text("select lane from events where id = any(cast(:events as uuid[]))")

_LOCK = text("select count(pg_advisory_xact_lock(number)) from unnest(cast(:locks as bigint[])) as number")

_EVENTS_OF = text(
    "select event_id from quarantine where id = any(cast(:ids as uuid[])) and released is null and event_id is not null"
)

_PUT = text(
    """
    with row as (
        insert into quarantine (id, source, event_id, reason, owner, since, due, attempts)
        values (:id, :source, :event_id, :reason, 'operations', :now, :due, :attempts)
        on conflict (source) do nothing returning id
    ), kept_key as (
        insert into data_keys (record_id, wrapped) select id, :wrapped from row
    ), kept as (
        insert into bodies (id, record_id, sealed) select id, id, :sealed from row
    ), decided as (
        insert into decisions (record_id, event_id, number, state, reason, owner, due, decided)
        select e.record_id, e.id, 1, 'held', :reason, 'operations', :due, :now
        from events e where e.id = :event_id
        on conflict (record_id, event_id, number) do nothing
    ), no_longer_undecided as (
        delete from undecided u using events e where e.id = :event_id and u.lane = e.lane and u.event_id = e.id
    )
    select count(*) from row
    """
)

_TRY = text(
    """
    insert into tries as t (event_id, count) values (:event_id, cast(:before as smallint) + 1)
    on conflict (event_id) do update set count = t.count + cast(:another as smallint) returning count
    """
)

_TRY_THESE = text(
    """
    insert into tries as t (event_id, count) select unnest(cast(:events as uuid[])), cast(:before as smallint) + 1
    on conflict (event_id) do update set count = t.count + 1
    """
)

_TRIES = text("select event_id, count from tries where event_id = any(cast(:events as uuid[]))")

_UNTRY = text("delete from tries where event_id = any(cast(:events as uuid[]))")

_OPEN = text(
    """
    select id, source, event_id, reason, owner, since, due, attempts from quarantine
    where released is null order by since limit :most
    """
)

_RELEASE = text(
    """
    with row as (
        update quarantine set released = :now, outcome = 'redriven'
        where id = any(cast(:ids as uuid[])) and released is null and event_id is not null returning event_id
    ), kept as (
        select e.* from row join events e on e.id = row.event_id
    ), overtaken as (
        -- A later version was told meanwhile: told now, this one would come after it.
        update decisions d set state = 'superseded', reason = 'overtaken', owner = null, due = null
        from kept e join facts f on f.key = e.fact join events head on head.id = f.event_id
        where d.record_id = e.record_id and d.event_id = e.id and d.number = 1 and d.state = 'held' and head.id <> e.id
          and exists (select from decisions later where later.record_id = head.record_id and later.event_id = head.id
                                                    and later.state <> 'held')
        returning d.event_id
    ), freed as (
        delete from decisions d using kept e
        where d.record_id = e.record_id and d.event_id = e.id and d.number = 1 and d.state = 'held'
          and d.event_id not in (select event_id from overtaken)
          and not exists (select from deliveries x where x.record_id = e.record_id and x.event_id = e.id)
        returning e.*
    ), open as (
        insert into undecided (lane, event_id, seq) select lane, id, seq from freed on conflict do nothing
    ), forgotten as (
        delete from tries t using row where t.event_id = row.event_id
    ), again as (
        insert into outbox (seq, shard, event_id, lane)
        select seq, shard, id, lane from freed
        on conflict (seq) do update set lane = excluded.lane
    )
    select count(*) from row
    """
)

_CLEAR = text(
    """
    update quarantine set released = :now, outcome = 'redriven'
    where source = any(cast(:sources as text[])) and released is null
    """
)

_STARTED = text(
    """
    insert into runs as r (instance, started, clean) values (:instance, :now, false)
    on conflict (instance) do update set started = :now, clean = false
    returning (select clean from runs where instance = :instance)
    """
)

_STOPPED = text("update runs set clean = true where instance = :instance")


@dataclass(frozen=True, slots=True)
class Quarantined:
    """One thing in quarantine, without its bytes."""

    id: uuid.UUID
    source: str
    event_id: uuid.UUID | None
    reason: str
    owner: str
    since: datetime
    due: datetime
    attempts: int


async def put(
    connection: AsyncConnection,
    *,
    id: uuid.UUID,  # noqa: A002 - the column's name
    source: str,
    event_id: uuid.UUID | None,
    reason: str,
    attempts: int,
    wrapped: bytes,
    sealed: bytes,
    now: datetime,
) -> bool:
    """Keep this. If it is an event of ours, its decision says held. False if it is kept already."""
    await _lock_lanes(connection, [event_id] if event_id is not None else [])
    told = await connection.execute(
        _PUT,
        {
            "id": id,
            "source": source,
            "event_id": event_id,
            "reason": reason,
            "attempts": attempts,
            "wrapped": wrapped,
            "sealed": sealed,
            "now": now,
            "due": now + DUE,
        },
    )
    return bool(told.scalar_one())


async def _lock_lanes(connection: AsyncConnection, events: Sequence[uuid.UUID]) -> None:
    """As addressing does, in the same order: so that an event is not decided, kept and freed at once."""
    lanes = (await connection.execute(_LANES, {"events": list(events)})).scalars()
    await connection.execute(_LOCK, {"locks": sorted(set(locks_of(lanes)))})


async def count_try(connection: AsyncConnection, event: uuid.UUID, *, before: int = 0, another: int = 1) -> int:
    """Count one more try of this event; returns how many that makes.

    before: tries that nobody counted, of an event that was never counted. another: 0 for one that goes on.
    """
    told = await connection.execute(_TRY, {"event_id": event, "before": before, "another": another})
    return int(told.scalar_one())


async def count_tries(connection: AsyncConnection, events: Sequence[uuid.UUID], *, before: int = 0) -> None:
    """Count one more try of each of these events. before: as above, of those among them."""
    await connection.execute(_TRY_THESE, {"events": list(dict.fromkeys(events)), "before": before})


async def tried(connection: AsyncConnection, events: Sequence[uuid.UUID]) -> dict[uuid.UUID, int]:
    """How often each of these was tried since it last went well, for those that were counted."""
    rows = await connection.execute(_TRIES, {"events": list(events)})
    return {row[0]: row[1] for row in rows}


async def forget_tries(connection: AsyncConnection, events: Sequence[uuid.UUID]) -> None:
    """These were addressed in the end."""
    await connection.execute(_UNTRY, {"events": list(events)})


async def waiting(connection: AsyncConnection, most: int) -> list[Quarantined]:
    """What is in quarantine, oldest first."""
    return [Quarantined(*row) for row in await connection.execute(_OPEN, {"most": most})]


async def release(connection: AsyncConnection, ids: Sequence[uuid.UUID], now: datetime) -> int:
    """Put the events of these back in line from the journal; one that was overtaken meanwhile ends superseded.

    Returns how many were released.
    """
    events = (await connection.execute(_EVENTS_OF, {"ids": list(ids)})).scalars().all()
    await _lock_lanes(connection, events)
    return int((await connection.execute(_RELEASE, {"ids": list(ids), "now": now})).scalar_one())


async def clear(connection: AsyncConnection, sources: Sequence[str], now: datetime) -> None:
    """What came from these places could not be read once, and has been taken since."""
    await connection.execute(_CLEAR, {"sources": list(sources), "now": now})


async def started(connection: AsyncConnection, instance: str, now: datetime) -> bool:
    """Note that this instance runs; True if its last run ended cleanly, or there was none."""
    clean = (await connection.execute(_STARTED, {"instance": instance, "now": now})).scalar_one()
    return clean is not False


async def stopped(connection: AsyncConnection, instance: str) -> None:
    """Note that this instance ended cleanly."""
    await connection.execute(_STOPPED, {"instance": instance})
