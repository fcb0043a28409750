"""Mailboxes: what a recipient may list, read and answer, each by position."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

CHANNEL = "deliveries"
"""Where PostgreSQL announces that a recipient's mailbox changed; `announced` reads what it says."""

_ANNOUNCE = text("select pg_notify('deliveries', :recipient)")

_LIST = text(
    """
    select id, position, person_id, kind, change, role, created, state from deliveries
    where recipient = :recipient and position > :after and state <> 'restricted'
    order by position limit :most
    """
)
"""A page of a mailbox. A recipient never learns of what is restricted."""

_LAST = text("select recipient, last from mailboxes where recipient = any(cast(:recipients as text[]))")

_READ = text(
    """
    select d.id, d.state, d.record_id, d.position,
           (select b.sealed from bodies b where b.record_id = d.record_id and b.id = d.id) as sealed,
           (select k.wrapped from data_keys k where k.record_id = d.record_id) as wrapped
    from deliveries d
    where d.id = :id and d.recipient = :recipient and d.state <> 'restricted'
    """
)

_COLLECT = text(
    """
    with collected as (
        update deliveries set state = 'offered', offered = :now, next = null, reason = null, owner = null, due = null
        where id = :id and state in ('queued', 'parked') returning recipient, position
    )
    delete from queued q using collected c where q.recipient = c.recipient and q.position = c.position
    """
)
"""The first read of a delivery is its offering; one that was parked is collected so."""

_UNTOLD = text(
    """
    select id, position, person_id, kind, change, role, created, state from deliveries
    where recipient = :recipient
      and position > coalesce((select told from mailboxes where recipient = :recipient), 0)
    order by position limit :most
    """
)

_TOLD = text("update mailboxes set told = greatest(told, :position) where recipient = :recipient")


@dataclass(frozen=True, slots=True)
class Notice:
    """What a mailbox lists of a delivery."""

    id: uuid.UUID
    position: int
    person_id: uuid.UUID
    kind: str
    change: str
    role: str
    created: datetime
    state: str


@dataclass(frozen=True, slots=True)
class Message:
    """A delivery and its sealed body. wrapped: the key that opens it; None where it was destroyed."""

    id: uuid.UUID
    state: str
    record_id: uuid.UUID
    position: int
    sealed: bytes | None
    wrapped: bytes | None


def announced(text: str) -> tuple[str, int | None]:
    """Whose mailbox changed, and the last position given out; None where the change is to something older."""
    recipient, _, last = text.partition(" ")
    return recipient, int(last) if last else None


async def announce(connection: AsyncConnection, recipient: str) -> None:
    """Tell every process at commit that this recipient's deliveries changed."""
    await connection.execute(_ANNOUNCE, {"recipient": recipient})


async def page(engine: AsyncEngine, recipient: str, after: int, most: int) -> list[Notice]:
    """The notices after a position, in order.

    Positions become visible in order and without gaps (they are given out under the mailbox's row lock, last in their
    transaction), so "after" never skips what commits later.
    """
    async with engine.connect() as connection:
        rows = await connection.execute(_LIST, {"recipient": recipient, "after": after, "most": most})
        return [Notice(*tuple(row)) for row in rows]


async def last(engine: AsyncEngine, recipients: Sequence[str]) -> dict[str, int]:
    """The last position given out, for each of these recipients that has one."""
    async with engine.connect() as connection:
        rows = await connection.execute(_LAST, {"recipients": list(recipients)})
        return {row.recipient: row.last for row in rows}


async def read(connection: AsyncConnection, recipient: str, delivery: uuid.UUID) -> Message | None:
    """A recipient's own message; None for another's, as for one that does not exist."""
    row = (await connection.execute(_READ, {"recipient": recipient, "id": delivery})).first()
    return None if row is None else Message(row.id, row.state, row.record_id, row.position, row.sealed, row.wrapped)


async def collect(connection: AsyncConnection, delivery: uuid.UUID, now: datetime) -> None:
    """Mark it offered, if it was waiting."""
    await connection.execute(_COLLECT, {"id": delivery, "now": now})


async def untold(engine: AsyncEngine, recipient: str, most: int) -> list[Notice]:
    """The next deliveries whose notices the recipient's Kafka topic does not carry yet."""
    async with engine.connect() as connection:
        rows = await connection.execute(_UNTOLD, {"recipient": recipient, "most": most})
        return [Notice(*tuple(row)) for row in rows]


async def told(engine: AsyncEngine, recipient: str, position: int) -> None:
    """Remember that the topic carries everything up to this position."""
    async with engine.begin() as connection:
        await connection.execute(_TOLD, {"recipient": recipient, "position": position})
