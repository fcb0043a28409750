"""What is known of where persons live and are held: evidence and determinations."""

import uuid
from collections.abc import Iterable, Sequence

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.addressing.determination import Confidence, Determination, Role
from gateway.addressing.evidence import Evidence
from gateway.store.arrays import arrays
from gateway.store.outcome import flags_as_json

_EVIDENCE = text(
    """
    select id, person_id, event_id, fact, kind, authority, array(select jsonb_object_keys(flags)) as flags,
           start, "end", occurred, known
    from evidence where person_id = any(cast(:persons as uuid[])) and not withdrawn
    order by known, id
    """
)

_PLACEMENTS = text(
    """
    select p.person_id, p.role, p.number, p.area, p.authority, p.basis, p.confidence, p.rules, p.places
    from unnest(cast(:persons as uuid[])) as t(id)
    cross join (values ('home'), ('holding')) as r(role)
    cross join lateral (
        select * from placements x where x.person_id = t.id and x.role = r.role order by x.number desc limit 1
    ) p
    """
)

_WITHDRAW = text(
    """
    update evidence e set withdrawn = true
    from unnest(cast(:persons as uuid[]), cast(:facts as bytea[])) as t(person_id, fact)
    where e.person_id = t.person_id and e.fact = t.fact and not e.withdrawn
    """
)

_MEND_EVIDENCE = text(
    """
    update evidence e set authority = t.authority, flags = cast(t.flags as jsonb)
    from unnest(cast(:id as uuid[]), cast(:authority as text[]), cast(:flags as text[])) as t(id, authority, flags)
    where e.id = t.id
    """
)


async def read_evidence(connection: AsyncConnection, persons: Iterable[uuid.UUID]) -> list[Evidence]:
    """All evidence of these persons that still stands, in the order it came."""
    rows = await connection.execute(_EVIDENCE, {"persons": list(persons)})
    return [
        Evidence(
            id=row.id,
            person_id=row.person_id,
            event_id=row.event_id,
            fact=row.fact,
            kind=row.kind,
            authority=row.authority,
            flags=frozenset(row.flags),
            start=row.start,
            end=row.end,
            occurred=row.occurred,
            known=row.known,
        )
        for row in rows
    ]


async def read_placements(
    connection: AsyncConnection, persons: Iterable[uuid.UUID]
) -> list[tuple[uuid.UUID, int, Determination]]:
    """The determinations in force for these persons, with their numbers; without the events they came from."""
    rows = await connection.execute(_PLACEMENTS, {"persons": list(persons)})
    return [
        (
            row.person_id,
            row.number,
            Determination(
                role=Role(row.role),
                area=row.area,
                authority=row.authority,
                basis=row.basis,
                confidence=Confidence(row.confidence),
                evidence=(),
                rules=row.rules,
                places=row.places,
            ),
        )
        for row in rows
    ]


async def withdraw(connection: AsyncConnection, facts: Iterable[tuple[uuid.UUID, bytes]]) -> None:
    """What these persons' facts said is evidence no longer."""
    await connection.execute(_WITHDRAW, arrays("persons facts", list(facts)))


async def mend_evidence(connection: AsyncConnection, evidence: Sequence[Evidence]) -> None:
    """Evidence that was read again with better places."""
    rows = [(one.id, one.authority, flags_as_json(one)) for one in evidence]
    await connection.execute(_MEND_EVIDENCE, arrays("id authority flags", rows))
