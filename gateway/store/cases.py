"""Cases, who takes part in them, and who is responsible."""

import uuid
from collections.abc import Iterable, Sequence

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.addressing.cases import Left
from gateway.addressing.determination import Role
from gateway.addressing.subject import Case, Participant
from gateway.store.arrays import arrays

# One row per open participant, and one for a case without any.
_OPEN = text(
    """
    select c.id, c.person_id, c.opened_by, c.opened,
           (select r.area from responsibilities r where r.case_id = c.id order by r.number desc limit 1) as responsible,
           (select coalesce(max(a.number), 0) from participants a where a.case_id = c.id) as numbered,
           p.number, p.role, p.area, p.since
    from cases c left join participants p on p.case_id = c.id and p.until is null
    where c.person_id = any(cast(:persons as uuid[])) and c.closed is null
    order by c.id, p.number
    """
)

_END_PARTICIPANTS = text(
    """
    update participants p set until = t.at
    from unnest(cast(:case_id as uuid[]), cast(:number as integer[]), cast(:at as timestamptz[]))
         as t(case_id, number, at)
    where p.case_id = t.case_id and p.number = t.number
    """
)


async def read_open(connection: AsyncConnection, persons: Iterable[uuid.UUID]) -> list[Case]:
    """The open cases of these persons, with whoever takes part now."""
    found: dict[uuid.UUID, Case] = {}
    for row in await connection.execute(_OPEN, {"persons": list(persons)}):
        case = found.setdefault(
            row.id, Case(row.id, row.person_id, row.opened_by, row.opened, row.responsible, {}, row.numbered)
        )
        if row.number is not None:
            case.participants[Role(row.role)] = Participant(row.number, Role(row.role), row.area, row.since)
    return list(found.values())


async def end_participants(connection: AsyncConnection, left: Sequence[Left]) -> None:
    """Participants that are so no longer."""
    rows = [(one.case_id, one.number, one.at) for one in left]
    await connection.execute(_END_PARTICIPANTS, arrays("case_id number at", rows))
