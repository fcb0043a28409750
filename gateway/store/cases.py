"""Cases, who takes part in them, and who is responsible."""

import uuid
from collections.abc import Iterable, Sequence

from gateway.addressing.cases import Left
from gateway.addressing.determination import Role
from gateway.addressing.subject import Case, Participant
from gateway.store.arrays import arrays
from gateway.store.session import Session
from gateway.store.statement import Statement

# One row per open participant, and one for a case without any.
_OPEN = Statement(
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

_END_PARTICIPANTS = Statement(
    """
    update participants p set until = t.at
    from unnest(cast(:case_id as uuid[]), cast(:number as integer[]), cast(:at as timestamptz[]))
         as t(case_id, number, at)
    where p.case_id = t.case_id and p.number = t.number
    """
)


async def read_open(session: Session, persons: Iterable[uuid.UUID]) -> list[Case]:
    """The open cases of these persons, with whoever takes part now."""
    found: dict[uuid.UUID, Case] = {}
    for row in await session.rows(_OPEN, {"persons": list(persons)}):
        case_id, person, opened_by, opened, responsible, numbered, number, role, area, since = row
        case = found.get(case_id)
        if case is None:
            case = found[case_id] = Case(case_id, person, opened_by, opened, responsible, {}, numbered)
        if number is not None:
            case.participants[Role(role)] = Participant(number, Role(role), area, since)
    return list(found.values())


async def end_participants(session: Session, left: Sequence[Left]) -> None:
    """Participants that are so no longer."""
    rows = [(one.case_id, one.number, one.at) for one in left]
    await session.run(_END_PARTICIPANTS, arrays("case_id number at", rows))
