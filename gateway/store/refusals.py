"""Refused records: their findings in the clear, their bytes sealed with keys of their own."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

_KEEP = text(
    """
    with told as (
        select * from unnest(
            cast(:id as uuid[]), cast(:sender as text[]), cast(:agency as text[]), cast(:transport as bytea[]),
            cast(:received as timestamptz[]), cast(:media_type as text[]), cast(:file_id as uuid[]),
            cast(:row as int[]), cast(:findings as jsonb[]), cast(:wrapped as bytea[]), cast(:sealed as bytea[]))
        as t(id, sender, agency, transport, received, media_type, file_id, "row", findings, wrapped, sealed)
    ), kept as (
        insert into refusals (id, sender, agency, transport, received, media_type, file_id, "row", findings)
        select id, sender, agency, transport, received, media_type, file_id, "row", findings from told order by id
        on conflict (id) do update set received = excluded.received, findings = excluded.findings
        returning id, xmax = 0 as fresh
    ), key as (
        insert into data_keys (record_id, wrapped)
        select id, wrapped from told join kept using (id) where fresh
    )
    insert into bodies (id, record_id, sealed)
    select id, id, sealed from told join kept using (id) where fresh
    """
)
"""Keeps refusals. One that is kept already is only dated anew: its bytes are the same, and its key stays."""


@dataclass(frozen=True, slots=True)
class RefusalRow:
    """One refusal as it is stored; see the table for what each is. wrapped, sealed: its key and its bytes."""

    id: uuid.UUID
    sender: str
    agency: str
    transport: bytes
    received: datetime
    media_type: str
    file_id: uuid.UUID | None
    row: int | None
    findings: str
    wrapped: bytes
    sealed: bytes


async def keep(connection: AsyncConnection, rows: Sequence[RefusalRow]) -> None:
    """Keep these refusals, no two of the same id."""
    names = [field.name for field in fields(RefusalRow)]
    await connection.execute(_KEEP, {name: [getattr(row, name) for row in rows] for name in names})
