"""Letters into mailboxes: positions, and then the deliveries (reading is in `mailboxes`)."""

import uuid
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime

from gateway.addressing.document import Letter
from gateway.store.arrays import arrays
from gateway.store.mailboxes import give_positions
from gateway.store.session import Session
from gateway.store.statement import Statement

_BODIES = Statement(
    """
    select b.id, b.record_id, b.sealed, k.wrapped
    from bodies b join data_keys k on k.record_id = b.record_id
    where b.id = any(cast(:ids as uuid[]))
    """
)

_INSERT = Statement(
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


async def read_bodies(session: Session, ids: Iterable[uuid.UUID]) -> list[tuple[uuid.UUID, uuid.UUID, bytes, bytes]]:
    """Those of these bodies that can still be opened: id, whose key seals it, sealed, and that key wrapped."""
    return [tuple(row) for row in await session.rows(_BODIES, {"ids": list(ids)})]


async def put(session: Session, letters: Sequence[Letter], now: datetime) -> None:
    """Number these deliveries within their mailboxes and queue them. Nothing may be locked after this."""
    places = await give_positions(session, Counter(letter.recipient for letter in letters))
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
    await session.run(_INSERT, {**arrays(names, queued), "now": now})
