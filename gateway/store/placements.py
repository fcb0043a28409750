"""What is known of where persons live and are held: evidence, its sealed details, and determinations."""

import uuid
from collections.abc import Iterable, Sequence
from datetime import datetime

import orjson
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.addressing.changes import Placed
from gateway.addressing.evidence import Evidence
from gateway.addressing.placement import Confidence, Determination, Role
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
    select distinct on (person_id, role) person_id, role, number, area, authority, basis, confidence, rules, places,
           array(select jsonb_array_elements_text(evidence)) as evidence
    from placements where person_id = any(cast(:persons as uuid[]))
    order by person_id, role, number desc
    """
)

_WITHDRAW = text("update evidence set withdrawn = true where fact = any(cast(:facts as bytea[])) and not withdrawn")

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
    on conflict (id) do update set authority = excluded.authority, flags = excluded.flags
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
    """The determinations in force for these persons, with their numbers."""
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
                evidence=tuple(uuid.UUID(one) for one in row.evidence),
                rules=row.rules,
                places=row.places,
            ),
        )
        for row in rows
        if row.role in (Role.HOME, Role.HOLDING)
    ]


async def withdraw(connection: AsyncConnection, facts: Iterable[bytes]) -> None:
    """What these facts said is evidence no longer."""
    await connection.execute(_WITHDRAW, {"facts": list(facts)})


async def insert_evidence(connection: AsyncConnection, evidence: Sequence[Evidence]) -> None:
    """New evidence, or the same read again with better places."""
    rows = [
        (
            one.id,
            one.person_id,
            one.event_id,
            one.fact,
            one.kind,
            one.authority,
            orjson.dumps(dict.fromkeys(sorted(one.flags), True)).decode(),
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
