"""Letters into mailboxes: positions, and then the deliveries (reading is in `mailboxes`)."""

import uuid
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.addressing.document import Letter
from gateway.store.arrays import arrays
from gateway.store.mailboxes import give_positions

_BODIES = text(
    """
    select b.id, b.record_id, b.sealed, k.wrapped
    from bodies b join data_keys k on k.record_id = b.record_id
    where b.id = any(cast(:ids as uuid[]))
    """
)

_INSERT = text(
    """
    insert into deliveries
        (id, recipient, position, person_id, event_id, record_id, case_id, decision, role, kind, change, agreement,
         state, reason, next, created, trace)
    select id, recipient, position, person_id, event_id, record_id, case_id, decision, role, kind, change, agreement,
           'queued', reason, :now, :now, trace
    from unnest(cast(:id as uuid[]), cast(:recipient as text[]), cast(:position as bigint[]),
                cast(:person_id as uuid[]), cast(:event_id as uuid[]), cast(:record_id as uuid[]),
                cast(:case_id as uuid[]), cast(:decision as smallint[]), cast(:role as text[]), cast(:kind as text[]),
                cast(:change as text[]), cast(:agreement as text[]), cast(:reason as text[]), cast(:trace as text[]))
         as t(id, recipient, position, person_id, event_id, record_id, case_id, decision, role, kind, change,
              agreement, reason, trace)
    """
)


async def read_bodies(
    connection: AsyncConnection, ids: Iterable[uuid.UUID]
) -> list[tuple[uuid.UUID, uuid.UUID, bytes, bytes]]:
    """Those of these bodies that can still be opened: id, whose key seals it, sealed, and that key wrapped."""
    rows = await connection.execute(_BODIES, {"ids": list(ids)})
    return [(row.id, row.record_id, row.sealed, row.wrapped) for row in rows]


async def put(connection: AsyncConnection, letters: Sequence[Letter], now: datetime) -> None:
    """Number these deliveries within their mailboxes and queue them. Nothing may be locked after this."""
    places = await give_positions(connection, Counter(letter.recipient for letter in letters))
    free = {recipient: iter(positions) for recipient, positions in places.items()}
    queued = []
    for letter in letters:
        event = letter.event
        queued.append(
            (
                letter.id,
                letter.recipient,
                next(free[letter.recipient]),
                letter.person_id,
                event.id,
                event.record_id,
                letter.case_id,
                letter.decision,
                letter.role,
                event.kind,
                letter.change.value,
                letter.agreement,
                letter.reason,
                event.trace,
            )
        )
    names = (
        "id recipient position person_id event_id record_id case_id decision role kind change agreement reason trace"
    )
    await connection.execute(_INSERT, {**arrays(names, queued), "now": now})
