"""Cases, who takes part in them, and who is responsible."""

import uuid
from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.addressing.cases import FIRST_RESPONSIBLE, Joined, Left
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

_INSERT = text(
    """
    insert into cases (id, person_id, opened_by, opened)
    select id, person_id, opened_by, opened
    from unnest(cast(:id as uuid[]), cast(:person_id as uuid[]), cast(:opened_by as uuid[]),
                cast(:opened as timestamptz[])) as t(id, person_id, opened_by, opened)
    """
)

_INSERT_RESPONSIBILITIES = text(
    """
    insert into responsibilities (case_id, number, area, since, reason, event_id)
    select case_id, 1, area, :now, :reason, event_id
    from unnest(cast(:case_id as uuid[]), cast(:area as text[]), cast(:event_id as uuid[]))
         as t(case_id, area, event_id)
    """
)

_INSERT_PARTICIPANTS = text(
    """
    insert into participants (case_id, number, role, area, since)
    select case_id, number, role, area, since
    from unnest(cast(:case_id as uuid[]), cast(:number as integer[]), cast(:role as text[]), cast(:area as text[]),
                cast(:since as timestamptz[])) as t(case_id, number, role, area, since)
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


async def insert(connection: AsyncConnection, cases: Sequence[Case]) -> None:
    """Cases that open."""
    rows = [(case.id, case.person_id, case.opened_by, case.opened) for case in cases]
    await connection.execute(_INSERT, arrays("id person_id opened_by opened", rows))


async def insert_responsibilities(
    connection: AsyncConnection, rows: Sequence[tuple[uuid.UUID, str | None, uuid.UUID]], now: datetime
) -> None:
    """The first responsible areas: case, area, event."""
    told = {**arrays("case_id area event_id", rows), "now": now, "reason": FIRST_RESPONSIBLE}
    await connection.execute(_INSERT_RESPONSIBILITIES, told)


async def write_participants(connection: AsyncConnection, changes: Sequence[Joined | Left]) -> None:
    """Who joined, and then who left: somebody may do both within one batch."""
    joined = [
        (one.case_id, one.participant.number, one.participant.role.value, one.participant.area, one.participant.since)
        for one in changes
        if isinstance(one, Joined)
    ]
    left = [(one.case_id, one.number, one.at) for one in changes if isinstance(one, Left)]
    if joined:
        await connection.execute(_INSERT_PARTICIPANTS, arrays("case_id number role area since", joined))
    if left:
        await connection.execute(_END_PARTICIPANTS, arrays("case_id number at", left))
