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

_READ = Statement(
    """
    select o.seq, b.sealed, o.event_id, e.record_id, e.kind, e.change, e.supersedes, e.sender, e.agency, e.fact, e.lane,
           e.occurred, e.recorded, e.due, e.trace
    from outbox o
    join events e on e.id = o.event_id
    left join bodies b on b.id = o.event_id
    where o.shard = any(cast(:shards as smallint[])) and (o.due is null or o.due <= :now)
    order by o.seq limit :most
    """
)

# What settles is few beside a backlog, and has an index of its own, which is used because nothing else is asked there.
_PUBLISHED = Statement(
    """
    with gone as (
        delete from outbox where seq = any(cast(:seqs as bigint[]))
    ), settling as materialized (
        select shard, due from outbox where due is not null and cast(:ahead as boolean)
    )
    select min(due) from settling where shard = any(cast(:shards as smallint[])) and due > :now
    """
)

_TRY_SHARDS = Statement(
    """
    select s from (select unnest(cast(:shards as int[])) as s order by 1) as wanted
    where pg_try_advisory_lock(7130003, s)
    limit :most
    """
)

_AGAIN = text(
    """
    insert into outbox (seq, shard, event_id, lane, due)
    select e.seq, e.shard, e.id, e.lane, case when e.due > :now then e.due end
    from events e
    where (:everything or not exists (select from decisions d where d.event_id = e.id))
      and (not :everything or not exists (select from decisions d
                                          where d.event_id = e.id and d.state in ('suppressed', 'superseded')))
    on conflict (seq) do nothing
    """
)

_AGAIN_THESE = Statement(
    """
    insert into outbox (seq, shard, event_id, lane)
    select seq, shard, id, lane from events where id = any(cast(:ids as uuid[])) on conflict (seq) do nothing
    """
)


_WAKE = Statement("select pg_notify('outbox', '')")


@dataclass(frozen=True, slots=True)
class Unpublished:
    """One event to publish. sealed: its body, or None if it was erased meanwhile."""

    seq: int
    envelope: Envelope
    sealed: bytes | None


async def read(session: Session, shards: Sequence[int], now: datetime, most: int) -> list[Unpublished]:
    """The oldest events of these shards that may go out, in the order of their commits."""
    rows = await session.rows(_READ, {"shards": shards, "now": now, "most": most})
    return [
        Unpublished(seq, Envelope(event, record, kind, Change(change), *rest), sealed)
        for seq, sealed, event, record, kind, change, *rest in rows
    ]


async def published(
    session: Session, seqs: Sequence[int], shards: Sequence[int], now: datetime, *, ahead: bool = True
) -> datetime | None:
    """Take these out: Kafka has acknowledged them.

    ahead: look when the next settling event of these shards may go out, and tell it.
    """
    told = {"seqs": seqs, "shards": shards, "now": now, "ahead": ahead}
    due: datetime | None = await session.value(_PUBLISHED, told)
    return due


async def try_shards(session: Session, shards: Sequence[int], most: int) -> list[int]:
    """Take the locks of some shards that no other session holds; they are this session's until it ends."""
    return [shard for (shard,) in await session.rows(_TRY_SHARDS, {"shards": shards, "most": most})]


async def publish_again(connection: AsyncConnection, now: datetime, *, everything: bool) -> int:
    """Put events back in line: those nobody has decided yet, or all that were ever published. Returns how many."""
    return (await connection.execute(_AGAIN, {"now": now, "everything": everything})).rowcount


async def publish_these_again(session: Session, events: Iterable[uuid.UUID]) -> int:
    """Put these events back in line and wake the relays. Returns how many were not there already."""
    put = await session.run(_AGAIN_THESE, {"ids": list(events)})
    await session.rows(_WAKE)
    return put
