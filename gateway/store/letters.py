"""Letters on their way into mailboxes: what they are written from, and their rows."""

import uuid
from collections import Counter
from collections.abc import Mapping, Sequence

from gateway.addressing.document import Letter
from gateway.store.arrays import arrays
from gateway.store.session import Session
from gateway.store.statement import Statement

_BODIES = Statement(
    """
    select b.id, b.record_id, b.sealed, k.wrapped
    from bodies b cross join lateral (select * from data_keys k where k.record_id = b.record_id limit 1) k
    where b.record_id = any(cast(:records as uuid[])) and b.id = any(cast(:ids as uuid[]))
    """
)

_QUEUED = (
    "q_id q_recipient q_behind q_person q_event q_record q_case q_decision q_role q_kind q_change q_agreement q_reason"
    " q_trace"
)


async def read_bodies(
    session: Session, bodies: Mapping[uuid.UUID, uuid.UUID]
) -> list[tuple[uuid.UUID, uuid.UUID, bytes, bytes]]:
    """Those of these bodies that can still be opened: id, whose key seals it, sealed, and that key wrapped.

    bodies: by their ids, whose key seals each.
    """
    told = {"ids": list(bodies), "records": list(set(bodies.values()))}
    return [tuple(row) for row in await session.rows(_BODIES, told)]


def queued(letters: Sequence[Letter]) -> dict[str, list[object]]:
    """The columns of these deliveries, and of the mailboxes they are for.

    behind: how many of the same mailbox follow a delivery, so that its position is known from the mailbox's last.
    """
    counts = Counter(letter.recipient for letter in letters)
    left = dict(counts)
    rows = []
    for letter in letters:
        left[letter.recipient] -= 1
        rows.append(_row(letter, left[letter.recipient]))
    return {**arrays("m_recipient m_count", list(counts.items())), **arrays(_QUEUED, rows)}


def _row(letter: Letter, behind: int) -> tuple[object, ...]:
    event = letter.event
    return (
        letter.id,
        letter.recipient,
        behind,
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
