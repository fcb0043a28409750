"""What is known of where persons live and are held: evidence, its sealed details, and determinations."""

import uuid
from collections.abc import Iterable, Sequence
from datetime import datetime

import orjson
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.addressing.changes import Placed
from gateway.addressing.determination import Confidence, Determination, Role
from gateway.addressing.evidence import Evidence
from gateway.store.arrays import arrays

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

_INSERT_EVIDENCE = text(
    """
    insert into evidence
        (id, person_id, event_id, fact, kind, authority, flags, start, "end", occurred, known, withdrawn)
    select id, person_id, event_id, fact, kind, authority, cast(flags as jsonb), start, until, occurred, known,
           withdrawn
    from unnest(cast(:id as uuid[]), cast(:person_id as uuid[]), cast(:event_id as uuid[]), cast(:fact as bytea[]),
                cast(:kind as text[]), cast(:authority as text[]), cast(:flags as text[]), cast(:start as date[]),
                cast(:until as date[]), cast(:occurred as timestamptz[]), cast(:known as timestamptz[]),
                cast(:withdrawn as boolean[]))
         as t(id, person_id, event_id, fact, kind, authority, flags, start, until, occurred, known, withdrawn)
    """
)

_MEND_EVIDENCE = text(
    """
    update evidence e set authority = t.authority, flags = cast(t.flags as jsonb)
    from unnest(cast(:id as uuid[]), cast(:authority as text[]), cast(:flags as text[])) as t(id, authority, flags)
    where e.id = t.id
    """
)

_INSERT_KEYS = text(
    """
    insert into data_keys (record_id, wrapped)
    select id, wrapped from unnest(cast(:id as uuid[]), cast(:wrapped as bytea[])) as t(id, wrapped)
    """
)

_INSERT_PLACEMENTS = text(
    """
    insert into placements
        (person_id, role, number, area, authority, basis, confidence, evidence, rules, places, event_id, known)
    select person_id, role, number, area, authority, basis, confidence, cast(evidence as jsonb), rules, places,
           event_id, :now
    from unnest(cast(:person_id as uuid[]), cast(:role as text[]), cast(:number as integer[]), cast(:area as text[]),
                cast(:authority as text[]), cast(:basis as text[]), cast(:confidence as text[]),
                cast(:evidence as text[]), cast(:rules as text[]), cast(:places as text[]), cast(:event_id as uuid[]))
         as t(person_id, role, number, area, authority, basis, confidence, evidence, rules, places, event_id)
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


async def insert_evidence(connection: AsyncConnection, evidence: Sequence[Evidence]) -> None:
    """New evidence."""
    rows = [
        (
            one.id,
            one.person_id,
            one.event_id,
            one.fact,
            one.kind,
            one.authority,
            _flags(one),
            one.start,
            one.end,
            one.occurred,
            one.known,
            one.withdrawn,
        )
        for one in evidence
    ]
    names = "id person_id event_id fact kind authority flags start until occurred known withdrawn"
    await connection.execute(_INSERT_EVIDENCE, arrays(names, rows))


async def mend_evidence(connection: AsyncConnection, evidence: Sequence[Evidence]) -> None:
    """Evidence that was read again with better places."""
    rows = [(one.id, one.authority, _flags(one)) for one in evidence]
    await connection.execute(_MEND_EVIDENCE, arrays("id authority flags", rows))


async def insert_keys(connection: AsyncConnection, rows: Sequence[tuple[uuid.UUID, bytes]]) -> None:
    """The wrapped keys of details that are kept beside evidence, by the evidence's id."""
    await connection.execute(_INSERT_KEYS, arrays("id wrapped", rows))


async def insert_placements(connection: AsyncConnection, placements: Sequence[Placed], now: datetime) -> None:
    """Determinations that changed the answer."""
    rows = [
        (
            one.person_id,
            one.determination.role.value,
            one.number,
            one.determination.area,
            one.determination.authority,
            one.determination.basis,
            one.determination.confidence.value,
            orjson.dumps([str(event) for event in one.determination.evidence]).decode(),
            one.determination.rules,
            one.determination.places,
            one.event_id,
        )
        for one in placements
    ]
    names = "person_id role number area authority basis confidence evidence rules places event_id"
    await connection.execute(_INSERT_PLACEMENTS, {**arrays(names, rows), "now": now})


def _flags(evidence: Evidence) -> str:
    return orjson.dumps(dict.fromkeys(sorted(evidence.flags), True)).decode()
