"""Wrapped data keys, by record. A key that is gone was destroyed: erased or purged."""

import uuid
from collections.abc import Iterable

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.sealing import DataKey, Sealer
from gateway.store.session import Session
from gateway.store.statement import Statement

_KEYS = Statement("select record_id, wrapped from data_keys where record_id = any(cast(:records as uuid[]))")

_BODY = text(
    """
    select b.sealed, k.wrapped from bodies b join data_keys k on k.record_id = b.record_id
    where b.record_id = :record and b.id = :id
    """
)


async def data_keys(session: Session, sealer: Sealer, records: Iterable[uuid.UUID]) -> dict[uuid.UUID, DataKey]:
    """The unwrapped keys of these records, for those that still have one. Raises Unreadable for a foreign key file."""
    rows = await session.rows(_KEYS, {"records": list(set(records))})
    return {record: sealer.unwrap(record, wrapped) for record, wrapped in rows}


async def open_body(
    connection: AsyncConnection, sealer: Sealer, record_id: uuid.UUID, body_id: uuid.UUID | None = None
) -> tuple[bytes, DataKey] | None:
    """One body in the clear and the key that sealed it; None if it was erased or never was. Raises Unreadable.

    body_id: which of the record's; the record itself without it.
    """
    body = body_id or record_id
    row = (await connection.execute(_BODY, {"record": record_id, "id": body})).first()
    if row is None:
        return None
    key = sealer.unwrap(record_id, row.wrapped)
    return key.open(body, row.sealed), key
