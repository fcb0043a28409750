"""The outbox: events that are committed and not yet on Kafka."""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.kafka.envelope import Envelope
from gateway.store.session import Session
from gateway.store.statement import Statement
from schemas.base import Change

# What is taken out stands in the same snapshot still, so the reading leaves it out. A row that was put back in line
# since it was read is another version of itself (its xmin), even if that is committed while this statement runs: it is
# not taken out, and goes out again. There is a row even where nothing may go out: it tells when the next settling event
# may. What settles is few beside a backlog, and has an index of its own, which is used because nothing else is asked
# there.
_TAKE_OUT_AND_READ = Statement(
    """
    with sent as materialized (
        select * from unnest(cast(:gone as bigint[]), cast(:versions as bigint[])) as t(seq, version)
    ), gone as (
        delete from outbox o using sent s where o.seq = s.seq and cast(cast(o.xmin as text) as bigint) = s.version
    ), next as materialized (
        select o.seq, cast(cast(o.xmin as text) as bigint) as version, b.sealed, o.event_id, e.record_id, e.kind,
               e.change, e.supersedes, e.sender, e.agency, e.fact, e.lane, e.occurred, e.recorded, e.due, e.trace
        from outbox o
        cross join lateral (select * from events e where e.id = o.event_id limit 1) e
        left join lateral (select * from bodies b where b.record_id = e.record_id and b.id = e.id limit 1) b on true
        where o.shard = any(cast(:shards as smallint[])) and (o.due is null or o.due <= :now)
          and (o.seq, cast(cast(o.xmin as text) as bigint)) not in (select seq, version from sent)
        order by o.seq limit :most
    ), settling as materialized (
        select shard, due from outbox where due is not null
    )
    select case when next.seq is null
                then (select min(due) from settling where shard = any(cast(:shards as smallint[])) and due > :now) end,
           next.*
    from (select) as always left join next on true order by next.seq
    """
)

# What was taken out may come back when PostgreSQL's machine fails, and is sent again: no reason to wait for the disk.
_UNHURRIED = Statement("set synchronous_commit = off")

_TRY_SHARDS = Statement(
    """
    select s from (select unnest(cast(:shards as int[])) as s order by 1) as wanted
    where pg_try_advisory_lock(7130003, s)
    limit :most
    """
)

_UNDECIDED_AGAIN = text(
    """
    insert into outbox (seq, shard, event_id, lane, due)
    select e.seq, e.shard, e.id, e.lane, case when e.due > :now then e.due end
    from undecided u join events e on e.seq = u.seq
    order by e.seq
    on conflict (seq) do update set lane = excluded.lane
    """
)

_EVERYTHING_AGAIN = text(
    """
    insert into outbox (seq, shard, event_id, lane, due)
    select e.seq, e.shard, e.id, e.lane, case when e.due > :now then e.due end
    from events e
    where not exists (select from decisions d where d.record_id = e.record_id and d.event_id = e.id
                                                and d.state in ('suppressed', 'superseded'))
    order by e.seq
    on conflict (seq) do update set lane = excluded.lane
    """
)

# What stands in line still may have been sent already: written anew, it is not taken out for that.
_AGAIN_THESE = Statement(
    """
    insert into outbox (seq, shard, event_id, lane)
    select e.seq, e.shard, e.id, e.lane
    from unnest(cast(:ids as uuid[])) as t(id) cross join lateral (select * from events e where e.id = t.id limit 1) e
    order by e.seq
    on conflict (seq) do update set lane = excluded.lane
    """
)


_WAKE = Statement("select pg_notify('outbox', '')")


@dataclass(frozen=True, slots=True)
class Unpublished:
    """One event to publish. sealed: its body, or None if it was erased meanwhile. version: of its row in the outbox."""

    seq: int
    version: int
    envelope: Envelope
    sealed: bytes | None


async def take_out_and_read(
    session: Session, sent: Sequence[Unpublished], shards: Sequence[int], now: datetime, most: int
) -> tuple[list[Unpublished], datetime | None]:
    """Take out what Kafka has acknowledged, and read the oldest events of these shards that may go out.

    sent: as they were read; one that was put back in line since then stays, to be sent again. Events come in the order
    of their commits. Where there are none: when the next settling one of these shards may go.
    """
    told = {
        "gone": [event.seq for event in sent],
        "versions": [event.version for event in sent],
        "shards": shards,
        "now": now,
        "most": most,
    }
    rows = await session.rows(_TAKE_OUT_AND_READ, told)
    [(due, first, *_), *_] = rows
    if first is None:
        return [], due
    return [
        Unpublished(seq, version, Envelope(event, record, kind, Change(change), *rest), sealed)
        for _, seq, version, sealed, event, record, kind, change, *rest in rows
    ], None


async def do_not_wait_for_the_disk(session: Session) -> None:
    """Let what this session takes out be gone at once, and on disk a moment later."""
    await session.rows(_UNHURRIED)


async def try_shards(session: Session, shards: Sequence[int], most: int) -> list[int]:
    """Take the locks of some shards that no other session holds; they are this session's until it ends."""
    return [shard for (shard,) in await session.rows(_TRY_SHARDS, {"shards": shards, "most": most})]


async def publish_again(connection: AsyncConnection, now: datetime, *, everything: bool) -> int:
    """Put events back in line: those nobody has decided yet, or all that were ever published. Returns how many."""
    return (await connection.execute(_EVERYTHING_AGAIN if everything else _UNDECIDED_AGAIN, {"now": now})).rowcount


async def publish_these_again(session: Session, events: Iterable[uuid.UUID]) -> int:
    """Put these events back in line, those still in it too, and wake the relays. Returns how many that are."""
    put = await session.run(_AGAIN_THESE, {"ids": list(events)})
    await session.rows(_WAKE)
    return put
