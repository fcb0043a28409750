"""What is known of where persons live and are held: evidence and determinations."""

import uuid
from collections.abc import Iterable, Sequence

from gateway.addressing.determination import Confidence, Determination, Role
from gateway.addressing.evidence import Evidence
from gateway.store.arrays import arrays
from gateway.store.outcome import flags_as_json
from gateway.store.session import Session
from gateway.store.statement import Statement

_EVIDENCE = Statement(
    """
    select id, person_id, event_id, fact, kind, authority, array(select jsonb_object_keys(flags)) as flags,
           start, "end", occurred, known
    from evidence where person_id = any(cast(:persons as uuid[])) and not withdrawn
    order by known, id
    """
)

_PLACEMENTS = Statement(
    """
    select p.person_id, p.role, p.number, p.area, p.authority, p.basis, p.confidence, p.rules, p.places
    from unnest(cast(:persons as uuid[])) as t(id)
    cross join (values ('home'), ('holding')) as r(role)
    cross join lateral (
        select * from placements x where x.person_id = t.id and x.role = r.role order by x.number desc limit 1
    ) p
    """
)

_WITHDRAW = Statement(
    """
    update evidence e set withdrawn = true
    from unnest(cast(:persons as uuid[]), cast(:facts as bytea[])) as t(person_id, fact)
    where e.person_id = t.person_id and e.fact = t.fact and not e.withdrawn
    """
)

_MEND_EVIDENCE = Statement(
    """
    update evidence e set authority = t.authority, flags = cast(t.flags as jsonb)
    from unnest(cast(:id as uuid[]), cast(:authority as text[]), cast(:flags as text[])) as t(id, authority, flags)
    where e.id = t.id
    """
)


async def read_evidence(session: Session, persons: Iterable[uuid.UUID]) -> list[Evidence]:
    """All evidence of these persons that still stands, in the order it came."""
    rows = await session.rows(_EVIDENCE, {"persons": list(persons)})
    return [
        Evidence(evidence, person, event, fact, kind, authority, frozenset(flags), *dated)
        for evidence, person, event, fact, kind, authority, flags, *dated in rows
    ]


async def read_placements(session: Session, persons: Iterable[uuid.UUID]) -> list[tuple[uuid.UUID, int, Determination]]:
    """The determinations in force for these persons, with their numbers; without the events they came from."""
    rows = await session.rows(_PLACEMENTS, {"persons": list(persons)})
    return [
        (person, number, Determination(Role(role), area, authority, basis, Confidence(confidence), (), rules, places))
        for person, role, number, area, authority, basis, confidence, rules, places in rows
    ]


async def withdraw(session: Session, facts: Iterable[tuple[uuid.UUID, bytes]]) -> None:
    """What these persons' facts said is evidence no longer."""
    await session.run(_WITHDRAW, arrays("persons facts", list(facts)))


async def mend_evidence(session: Session, evidence: Sequence[Evidence]) -> None:
    """Evidence that was read again with better places."""
    rows = [(one.id, one.authority, flags_as_json(one)) for one in evidence]
    await session.run(_MEND_EVIDENCE, arrays("id authority flags", rows))
