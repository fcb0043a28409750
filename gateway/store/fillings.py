"""Pointers that wait to be filled: which is to be asked for next, and where each stands."""

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

DUE = timedelta(days=1)
"""How soon somebody has to look at a pointer that is no longer asked for."""

_LINE = """
    with line as (
        select distinct on (coalesce(r.lane, decode(replace(r.id::text, '-', ''), 'hex'))) r.id, r.received, f.next
        from records r left join fillings f on f.record_id = r.id
        where r.state = 'waiting' and r.agency = any(cast(:agencies as text[]))
        order by coalesce(r.lane, decode(replace(r.id::text, '-', ''), 'hex')), r.received, r."row" nulls first, r.id
    )"""
"""Of each lane the first that waits: what came later may not be told before it."""

_LEASE = text(
    f"""{_LINE}, due as (
        select r.id from records r join line using (id)
        where r.state = 'waiting' and (line.next is null or line.next <= :now)
        order by r.received limit :most for update of r skip locked
    ), leased as (
        -- Counted before the work: a record that ends the process is not asked for without end.
        insert into fillings as f (record_id, tries, next, tried) select id, 1, :until, :now from due
        on conflict (record_id) do update set tries = f.tries + 1, next = :until, tried = :now where f.next <= :now
        returning record_id, tries
    )
    select r.id, r.sender, r.agency, r.transport, r.body_hash, r.media_type, r.received, r.trace, r.file_id, r."row",
           l.tries
    from leased l join records r on r.id = l.record_id order by r.received
    """  # noqa: S608 - a text of ours, used twice
)

_NEXT = text(f"{_LINE} select min(coalesce(next, received)) from line")  # noqa: S608 - as above

_PUT_OFF = text(
    """
    with told as (update fillings set next = :next, outcome = :reason where record_id = :id)
    update records set reason = :reason, due = :next where id = :id and state = 'waiting'
    """
)

_GIVE_UP = text(
    """
    with told as (update fillings set outcome = :reason where record_id = :id)
    update records set state = 'held', reason = :reason, owner = 'operations', due = :due
    where id = :id and state = 'waiting'
    """
)

_KEEP = text(
    """
    with told as (
        update fillings set outcome = 'filled' where record_id = :id
    ), stopped as (
        update records set state = 'held', reason = :reason, owner = 'operations', due = :due,
                           findings = cast(:findings as jsonb)
        where id = :id and state = 'waiting' returning id
    )
    insert into bodies (id, record_id, sealed) select :body, id, :sealed from stopped
    """
)

_IGNORE = text(
    """
    with told as (
        update fillings set outcome = 'filled' where record_id = :id
    ), ended as (
        update records set state = 'ignored', reason = :name, owner = null, due = null, findings = '[]'
        where id = :id and state = 'waiting' returning id
    ), forgotten as (
        delete from bodies b using ended where b.record_id = ended.id
    )
    delete from data_keys k using ended where k.record_id = ended.id
    """
)

_FILLED = text("update fillings set outcome = 'filled' where record_id = :id")

_ASK_AGAIN = text(
    """
    with stopped as (
        update records set state = 'waiting', reason = 'pointer_not_filled', due = :now
        where id = :id and state in ('held', 'waiting') returning id
    )
    insert into fillings (record_id, tries, next, tried) select id, 0, :now, :now from stopped
    on conflict (record_id) do update set tries = 0, next = :now, outcome = null returning record_id
    """
)


@dataclass(frozen=True, slots=True)
class Leased:
    """A pointer that is this process's to fill, until its lease ends. tries: how many this one makes."""

    id: uuid.UUID
    sender: str
    agency: str
    transport: bytes
    body_hash: bytes
    media_type: str
    received: datetime
    trace: str
    file_id: uuid.UUID | None
    row: int | None
    tries: int


async def lease(
    connection: AsyncConnection, agencies: Collection[str], now: datetime, until: datetime, most: int
) -> list[Leased]:
    """Take what is due, at most one of each lane and the lane's first. Nobody else has it before `until`."""
    told = {"agencies": list(agencies), "now": now, "until": until, "most": most}
    return [Leased(*row) for row in await connection.execute(_LEASE, told)]


async def next_due(connection: AsyncConnection, agencies: Collection[str]) -> datetime | None:
    """When the next of these agencies' pointers is due, of each lane its first; None where none waits."""
    due: datetime | None = (await connection.execute(_NEXT, {"agencies": list(agencies)})).scalar_one()
    return due


async def put_off(connection: AsyncConnection, record_id: uuid.UUID, reason: str, until: datetime) -> None:
    """It is asked for again then."""
    await connection.execute(_PUT_OFF, {"id": record_id, "reason": reason, "next": until})


async def give_up(connection: AsyncConnection, record_id: uuid.UUID, reason: str, now: datetime) -> None:
    """It is not asked for again; operations decide."""
    await connection.execute(_GIVE_UP, {"id": record_id, "reason": reason, "due": now + DUE})


async def keep(
    connection: AsyncConnection,
    record_id: uuid.UUID,
    body_id: uuid.UUID,
    sealed: bytes,
    reason: str,
    findings: str,
    now: datetime,
) -> None:
    """It is filled and still cannot be told: the answer is kept, so that it need not be asked for after a fix."""
    told = {"id": record_id, "body": body_id, "sealed": sealed, "reason": reason, "findings": findings}
    await connection.execute(_KEEP, {**told, "due": now + DUE})


async def ignore(connection: AsyncConnection, record_id: uuid.UUID, name: str) -> None:
    """Filled, it is of a kind we do not subscribe to: counted by its name, content not kept."""
    await connection.execute(_IGNORE, {"id": record_id, "name": name})


async def filled(connection: AsyncConnection, record_id: uuid.UUID) -> None:
    """It was filled and told."""
    await connection.execute(_FILLED, {"id": record_id})


async def ask_again(connection: AsyncConnection, record_id: uuid.UUID, now: datetime) -> bool:
    """Ask for a pointer again from the start, at once. False if it does not wait any more."""
    return (await connection.execute(_ASK_AGAIN, {"id": record_id, "now": now})).first() is not None
