"""Batch files: their claim, their end, and the report on their rows.

Counts and causes are read from the rows themselves, so a file that was cut off and sent again reports the same.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

_CLAIM = text(
    """
    insert into files as f (id, sender, agency, transport, body_hash, received, state)
    values (:id, :sender, :agency, :transport, :body_hash, :received, 'open')
    on conflict (sender, transport) do update set
        body_hash = case when f.state = 'refused' then excluded.body_hash else f.body_hash end,
        received = case when f.state = 'refused' then excluded.received else f.received end,
        state = case when f.state = 'refused' then 'open' else f.state end
    returning id, body_hash, received, state
    """
)
"""Opens a file, or finds the one that came before under this id. A refused one took nothing, and begins anew."""

_FINISH = text(
    """
    update files set state = :state, rows = :rows, finished = :finished, findings = cast(:findings as jsonb)
    where id = :id and state = 'open'
    """
)

_STATE = text("select state from files where id = :id")

_FIND = text(
    """
    select id, agency, received, finished, state, rows, findings from files where id = :id and sender = :sender
    """
)

_COUNTS = text(
    """
    select state, count(*) as rows from records where file_id = :id group by state
    union all
    select 'refused', count(*) from refusals where file_id = :id and "row" is not null
    """
)

_CAUSES = text(
    """
    with told as (
        select "row", findings from refusals where file_id = :id and "row" is not null
        union all
        select "row", findings from records where file_id = :id and findings <> '[]'
    )
    select found ->> 'rule' as rule, count(distinct told."row") as rows,
           (array_agg(distinct told."row" order by told."row"))[1:5] as first,
           (array_agg(distinct found ->> 'field'))[1:5] as fields,
           (array_agg(distinct found ->> 'detail') filter (where found ->> 'detail' <> ''))[1:5] as details
    from told, jsonb_array_elements(told.findings) as found
    group by 1 order by 2 desc, 1
    """
)

_ROWS = text(
    """
    select "row", state, record, reason, findings from (
        select "row", 'refused' as state, null as record, null as reason, findings
        from refusals where file_id = :id and "row" is not null
        union all
        select "row", state, id, reason, findings
        from records where file_id = :id and (state <> 'translated' or findings <> '[]')
    ) as told
    where "row" > :after order by "row" limit :limit
    """
)


_REFUSED_ROWS = text('select "row" from refusals where file_id = :id and "row" is not null')


@dataclass(frozen=True, slots=True)
class Claimed:
    """The file as it stands under its message id. body_hash: of the body that holds the id."""

    id: uuid.UUID
    body_hash: bytes
    received: datetime
    state: str


@dataclass(frozen=True, slots=True)
class FileRow:
    """One file; see the table for what each is."""

    id: uuid.UUID
    agency: str
    received: datetime
    finished: datetime | None
    state: str
    rows: int
    findings: list[dict[str, str]]


@dataclass(frozen=True, slots=True)
class Cause:
    """One rule that rows broke: how many, the first five of them, and some of the fields and shapes seen."""

    rule: str
    rows: int
    first: list[int]
    fields: list[str]
    details: list[str]


@dataclass(frozen=True, slots=True)
class Told:
    """One row that needs somebody's attention, or was not taken."""

    row: int
    state: str
    record: uuid.UUID | None
    reason: str | None
    findings: list[dict[str, str]]


async def claim(
    connection: AsyncConnection,
    *,
    file_id: uuid.UUID,
    sender: str,
    agency: str,
    transport: bytes,
    body_hash: bytes,
    received: datetime,
) -> Claimed:
    """Open a file under its message id, or find what holds that id already."""
    told = {
        "id": file_id,
        "sender": sender,
        "agency": agency,
        "transport": transport,
        "body_hash": body_hash,
        "received": received,
    }
    row = (await connection.execute(_CLAIM, told)).one()
    return Claimed(row.id, row.body_hash, row.received, row.state)


async def finish(
    connection: AsyncConnection, file_id: uuid.UUID, *, state: str, rows: int, findings: str, finished: datetime
) -> None:
    """Write that a file was taken or refused. findings: JSON."""
    told = {"id": file_id, "state": state, "rows": rows, "findings": findings, "finished": finished}
    await connection.execute(_FINISH, told)


async def is_taken(connection: AsyncConnection, file_id: uuid.UUID) -> bool:
    """Whether every row of a file is done with."""
    state: str = (await connection.execute(_STATE, {"id": file_id})).scalar_one()
    return state == "taken"


async def find(connection: AsyncConnection, file_id: uuid.UUID, sender: str) -> FileRow | None:
    """The sender's file of this id; None for another's and for none at all."""
    row = (await connection.execute(_FIND, {"id": file_id, "sender": sender})).first()
    return None if row is None else FileRow(**row._mapping)


async def counts(connection: AsyncConnection, file_id: uuid.UUID) -> dict[str, int]:
    """How many rows are in each state of a record, or refused."""
    return {row.state: row.rows for row in await connection.execute(_COUNTS, {"id": file_id})}


async def causes(connection: AsyncConnection, file_id: uuid.UUID) -> Sequence[Cause]:
    """The rules that rows broke, the commonest first."""
    rows: Any = await connection.execute(_CAUSES, {"id": file_id})
    return [Cause(row.rule, row.rows, list(row.first), list(row.fields), list(row.details or ())) for row in rows]


async def told_rows(connection: AsyncConnection, file_id: uuid.UUID, after: int, limit: int) -> Sequence[Told]:
    """The next rows there is something to say about, in the order of the file."""
    rows = await connection.execute(_ROWS, {"id": file_id, "after": after, "limit": limit})
    return [Told(row.row, row.state, row.record, row.reason, row.findings) for row in rows]


async def refused_rows(connection: AsyncConnection, file_id: uuid.UUID) -> frozenset[int]:
    """The rows that were refused by themselves."""
    return frozenset((await connection.execute(_REFUSED_ROWS, {"id": file_id})).scalars())
