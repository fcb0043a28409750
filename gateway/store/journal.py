"""The journal's statements. One transaction commits everything a batch of requests asks for, or nothing of it."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from gateway.intake.chain import Head, Minted, Settling
from gateway.store.arrays import arrays
from gateway.store.session import Session
from gateway.store.statement import Statement

_SEEN = Statement(
    """
    select array(
        select row(r.sender, r.transport, r.id, r.body_hash, r.state)
        from unnest(cast(:senders as text[]), cast(:transports as bytea[])) as t(sender, transport)
        cross join lateral (
            select * from records r where r.sender = t.sender and r.transport = t.transport limit 1
        ) r
    ), array(
        select row(f.key, f.event_id, f.version, f.digest, f.lane) from facts f
        where f.key = any(cast(:keys as bytea[]))
    )
    """
)

_SETTLING = Statement(
    """
    select o.event_id, e.kind, o.lane, o.due, e.supersedes
    from outbox o cross join lateral (select * from events e where e.id = o.event_id limit 1) e
    where o.due > :now and (o.event_id = any(cast(:heads as uuid[])) or o.lane = any(cast(:lanes as bytea[])))
    order by o.seq for update of o
    """
)

_STORED = Statement("select id from events where id = any(cast(:ids as uuid[]))")

_SHARDS = Statement(
    "select pg_advisory_xact_lock(7130002, s) from (select unnest(cast(:shards as int[])) as s order by 1) as wanted"
)

# The shards are locked before anything is written, and numbers are drawn after that: every row waits for `locked`. A
# head that moved since it was read is set to nothing, which its column refuses, and with it the whole statement.
_COMMIT = Statement(
    """
    with locked as materialized (
        select count(pg_advisory_xact_lock(7130002, s))
        from (select unnest(cast(:shards as int[])) as s order by 1) as wanted
    ), record as (
        insert into records (id, sender, agency, transport, body_hash, received, state, reason, owner, due, media_type,
                             lane, events, repeats, file_id, "row", findings, trace)
        select t.* from locked cross join unnest(
            cast(:r_id as uuid[]), cast(:r_sender as text[]), cast(:r_agency as text[]),
            cast(:r_transport as bytea[]), cast(:r_body_hash as bytea[]), cast(:r_received as timestamptz[]),
            cast(:r_state as text[]), cast(:r_reason as text[]), cast(:r_owner as text[]),
            cast(:r_due as timestamptz[]), cast(:r_media_type as text[]), cast(:r_lane as bytea[]),
            cast(:r_events as int[]), cast(:r_repeats as int[]), cast(:r_file_id as uuid[]), cast(:r_row as int[]),
            cast(:r_findings as jsonb[]), cast(:r_trace as text[])) as t
    ), sealed_key as (
        insert into data_keys (record_id, wrapped)
        select * from unnest(cast(:k_record as uuid[]), cast(:k_wrapped as bytea[]))
    ), body as (
        insert into bodies (id, record_id, sealed)
        select * from unnest(cast(:b_id as uuid[]), cast(:b_record as uuid[]), cast(:b_sealed as bytea[]))
    ), fact as (
        insert into facts as f (key, event_id, version, digest, lane)
        select t.* from locked cross join unnest(
            cast(:f_key as bytea[]), cast(:f_event as uuid[]), cast(:f_version as bigint[]),
            cast(:f_digest as bytea[]), cast(:f_lane as bytea[])) as t
        on conflict (key) do update
        set event_id = case when f.event_id = any(cast(:f_expected as uuid[])) then excluded.event_id end,
            version = excluded.version, digest = excluded.digest
    ), event as (
        insert into events (id, record_id, sender, agency, kind, change, supersedes, fact, lane, shard, occurred,
                            recorded, due, trace)
        select id, record_id, sender, agency, kind, change, supersedes, fact, lane, shard, occurred, recorded, due,
               trace
        from locked cross join unnest(
            cast(:e_id as uuid[]), cast(:e_record as uuid[]), cast(:e_sender as text[]), cast(:e_agency as text[]),
            cast(:e_kind as text[]), cast(:e_change as text[]), cast(:e_supersedes as uuid[]),
            cast(:e_fact as bytea[]), cast(:e_lane as bytea[]), cast(:e_shard as smallint[]),
            cast(:e_occurred as timestamptz[]), cast(:e_recorded as timestamptz[]), cast(:e_due as timestamptz[]),
            cast(:e_trace as text[]))
            with ordinality as t(id, record_id, sender, agency, kind, change, supersedes, fact, lane, shard, occurred,
                                 recorded, due, trace, place)
        order by place
        returning seq, shard, id, lane, due
    ), decided as (
        insert into decisions (record_id, event_id, number, state, reason, decided)
        select record_id, id, 1, state, reason, :now
        from unnest(cast(:d_record as uuid[]), cast(:d_id as uuid[]), cast(:d_state as text[]),
                    cast(:d_reason as text[])) as t(record_id, id, state, reason)
    ), open as (
        insert into undecided (lane, event_id, seq)
        select lane, id, seq from event where not id = any(cast(:d_id as uuid[]))
    )
    insert into outbox (seq, shard, event_id, lane, due)
    select seq, shard, id, lane, due from event where not id = any(cast(:d_id as uuid[]))
    """
)

# What settles was committed before, or by the statement above. Its row in the outbox stays where it is: it was locked
# when it was read, or nobody else has seen it.
_SILENCE = Statement(
    """
    with silenced as materialized (
        select e.id, e.record_id, e.lane, e.seq, t.state, t.reason
        from unnest(cast(:ids as uuid[]), cast(:states as text[]), cast(:reasons as text[])) as t(id, state, reason)
        cross join lateral (select * from events e where e.id = t.id limit 1) e
    ), decided as (
        insert into decisions (record_id, event_id, number, state, reason, decided)
        select record_id, id, 1, state, reason, :now from silenced
    ), closed as (
        delete from undecided where ctid = any(array(
            select u.at from silenced s cross join lateral (
                select u.ctid as at from undecided u where u.lane = s.lane and u.event_id = s.id limit 1
            ) u
        ))
    )
    delete from outbox where ctid = any(array(
        select o.at from silenced s cross join lateral (
            select o.ctid as at from outbox o where o.seq = s.seq limit 1
        ) o
    ))
    """
)

_PROMOTE = Statement(
    """
    update records set state = 'translated', reason = null, owner = null, due = null, events = :events,
                       repeats = :repeats, lane = coalesce(lane, :lane), findings = cast(:findings as jsonb)
    where id = :id and state in ('held', 'waiting', 'staged') returning id
    """
)


@dataclass(frozen=True, slots=True)
class Known:
    """A record that was taken before under the same transport id."""

    id: uuid.UUID
    body_hash: bytes
    state: str


@dataclass(slots=True)
class RecordRow:
    """One new record as the journal writes it; see the table for what each is."""

    id: uuid.UUID
    sender: str
    agency: str
    transport: bytes
    body_hash: bytes
    received: datetime
    state: str
    reason: str | None
    owner: str | None
    due: datetime | None
    media_type: str
    lane: bytes | None
    events: int
    repeats: int
    file_id: uuid.UUID | None
    row: int | None
    findings: str
    trace: str


@dataclass(slots=True)
class EventRow:
    """One new event, its record's envelope values beside it."""

    minted: Minted
    record_id: uuid.UUID
    sender: str
    agency: str
    recorded: datetime
    trace: str


async def seen(
    session: Session, transports: Sequence[tuple[str, bytes]], keys: Sequence[bytes]
) -> tuple[dict[tuple[str, bytes], Known], dict[bytes, Head]]:
    """The records that already stand under these (sender, transport) pairs, and the heads of these facts."""
    told = {
        "senders": [sender for sender, _ in transports],
        "transports": [transport for _, transport in transports],
        "keys": keys,
    }
    known, heads = await session.row(_SEEN, told)
    return (
        {(sender, transport): Known(*rest) for sender, transport, *rest in known},
        {key: Head(*head) for key, *head in heads},
    )


async def settling(
    session: Session, events: Sequence[uuid.UUID], lanes: Sequence[bytes], now: datetime
) -> dict[uuid.UUID, Settling]:
    """What still settles among these events and lanes, locked so that it cannot go out meanwhile."""
    rows = await session.rows(_SETTLING, {"heads": events, "lanes": lanes, "now": now})
    return {row[0]: Settling(*row) for row in rows}


async def stored(session: Session, events: Sequence[uuid.UUID]) -> set[uuid.UUID]:
    """Which of these events stand in the journal already."""
    return {event for (event,) in await session.rows(_STORED, {"ids": events})}


async def lock_shards(session: Session, shards: Sequence[int]) -> None:
    """Wait until no other journal writes to these shards, and keep others waiting until the transaction ends."""
    await session.rows(_SHARDS, {"shards": shards})


async def commit(
    session: Session,
    *,
    records: Sequence[RecordRow],
    keys: Sequence[tuple[uuid.UUID, bytes]],
    bodies: Sequence[tuple[uuid.UUID, uuid.UUID, bytes]],
    facts: Sequence[tuple[bytes, Head]],
    expected: Sequence[uuid.UUID],
    events: Sequence[EventRow],
    now: datetime,
) -> None:
    """Write everything in one statement, numbered in the order of commits within each shard.

    expected: the heads read before. Raises IntegrityError where one of them has moved meanwhile, or a record came under
    the same transport id: then nothing is written.
    """
    decided = [e for e in events if e.minted.state is not None]
    silenced = [e.minted.silences for e in events if e.minted.silences is not None]
    await session.run(
        _COMMIT,
        {
            **{f"r_{name}": [getattr(row, name) for row in records] for name in RecordRow.__slots__},
            "k_record": [record for record, _ in keys],
            "k_wrapped": [wrapped for _, wrapped in keys],
            "b_id": [body for body, _, _ in bodies],
            "b_record": [record for _, record, _ in bodies],
            "b_sealed": [sealed for _, _, sealed in bodies],
            "shards": sorted({e.minted.shard for e in events}),
            "f_key": [key for key, _ in facts],
            "f_event": [head.event_id for _, head in facts],
            "f_version": [head.version for _, head in facts],
            "f_digest": [head.digest for _, head in facts],
            "f_lane": [head.lane for _, head in facts],
            "f_expected": expected,
            "e_id": [e.minted.id for e in events],
            "e_record": [e.record_id for e in events],
            "e_sender": [e.sender for e in events],
            "e_agency": [e.agency for e in events],
            "e_kind": [e.minted.kind for e in events],
            "e_change": [e.minted.change.value for e in events],
            "e_supersedes": [e.minted.supersedes for e in events],
            "e_fact": [e.minted.fact for e in events],
            "e_lane": [e.minted.lane for e in events],
            "e_shard": [e.minted.shard for e in events],
            "e_occurred": [e.minted.occurred for e in events],
            "e_recorded": [e.recorded for e in events],
            "e_due": [e.minted.due for e in events],
            "e_trace": [e.trace for e in events],
            "d_record": [e.record_id for e in decided],
            "d_id": [e.minted.id for e in decided],
            "d_state": [e.minted.state for e in decided],
            "d_reason": [e.minted.reason for e in decided],
            "now": now,
        },
    )
    if silenced:
        await session.run(_SILENCE, {**arrays("ids states reasons", silenced), "now": now})


async def promote(
    session: Session,
    record_id: uuid.UUID,
    *,
    events: int,
    repeats: int,
    lane: bytes | None,
    findings: str,
) -> bool:
    """Mark a stopped record as translated. False if it was not stopped any more."""
    told = {"id": record_id, "events": events, "repeats": repeats, "lane": lane, "findings": findings}
    return await session.value(_PROMOTE, told) is not None
