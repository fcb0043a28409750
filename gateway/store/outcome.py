"""What a batch decided, as new rows: one statement for all its tables, because one costs more than its rows.

Deliveries are numbered here too: a mailbox is counted up by as many as it gets, and its row stays locked until the
commit, so that positions appear in their order (contracts/decisions/0013).
"""

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any

import orjson

from gateway.addressing.cases import FIRST_RESPONSIBLE, Joined
from gateway.addressing.changes import Changes, Decision, Placed
from gateway.addressing.evidence import Evidence
from gateway.store.arrays import arrays
from gateway.store.letters import queued
from gateway.store.session import Session
from gateway.store.statement import Statement

# Keys of persons are unique together with the person; whoever else learns the same one meanwhile says the same.
# Evidence is found one by one, as in `lookup`, and changed where it stands: its person is locked, so nobody moves it.
# What is undecided is found so too, and never moves.
PARTS: Mapping[str, str] = {
    "person": """
        insert into persons (id, provisional, created)
        select *, :now from unnest(cast(:p_id as uuid[]), cast(:p_provisional as boolean[]))
    """,
    "person_key": """
        insert into person_keys (key, person_id, rule, event_id, known)
        select *, :now from unnest(cast(:k_key as bytea[]), cast(:k_person as uuid[]), cast(:k_rule as text[]),
                                   cast(:k_event as uuid[]))
        on conflict (key, person_id) do nothing
    """,
    "said": """
        insert into evidence (id, person_id, event_id, fact, kind, authority, flags, start, "end", occurred, known,
                              withdrawn)
        select * from unnest(
            cast(:e_id as uuid[]), cast(:e_person as uuid[]), cast(:e_event as uuid[]), cast(:e_fact as bytea[]),
            cast(:e_kind as text[]), cast(:e_authority as text[]), cast(:e_flags as jsonb[]), cast(:e_start as date[]),
            cast(:e_end as date[]), cast(:e_occurred as timestamptz[]), cast(:e_known as timestamptz[]),
            cast(:e_withdrawn as boolean[]))
    """,
    "detail_key": """
        insert into data_keys (record_id, wrapped)
        select * from unnest(cast(:w_id as uuid[]), cast(:w_wrapped as bytea[]))
    """,
    "body": """
        insert into bodies (id, record_id, sealed)
        select * from unnest(cast(:b_id as uuid[]), cast(:b_record as uuid[]), cast(:b_sealed as bytea[]))
    """,
    "placed": """
        insert into placements (person_id, role, number, area, authority, basis, confidence, evidence, rules, places,
                                event_id, known)
        select *, :now from unnest(
            cast(:l_person as uuid[]), cast(:l_role as text[]), cast(:l_number as int[]), cast(:l_area as text[]),
            cast(:l_authority as text[]), cast(:l_basis as text[]), cast(:l_confidence as text[]),
            cast(:l_evidence as jsonb[]), cast(:l_rules as text[]), cast(:l_places as text[]),
            cast(:l_event as uuid[]))
    """,
    "opened": """
        insert into cases (id, person_id, opened_by, opened)
        select * from unnest(cast(:c_id as uuid[]), cast(:c_person as uuid[]), cast(:c_opened_by as uuid[]),
                             cast(:c_opened as timestamptz[]))
    """,
    "responsible": """
        insert into responsibilities (case_id, area, event_id, number, since, reason)
        select *, 1, :now, :first_responsible
        from unnest(cast(:r_case as uuid[]), cast(:r_area as text[]), cast(:r_event as uuid[]))
    """,
    "joined": """
        insert into participants (case_id, number, role, area, since)
        select * from unnest(cast(:j_case as uuid[]), cast(:j_number as int[]), cast(:j_role as text[]),
                             cast(:j_area as text[]), cast(:j_since as timestamptz[]))
    """,
    "hold": """
        insert into holds (event_id, decision, role, person_id, reason, due, since, owner)
        select *, :now, 'operations'
        from unnest(cast(:h_event as uuid[]), cast(:h_decision as smallint[]), cast(:h_role as text[]),
                    cast(:h_person as uuid[]), cast(:h_reason as text[]), cast(:h_due as timestamptz[]))
    """,
    "decided": """
        insert into decisions (record_id, event_id, number, state, reason, owner, due, person_id, case_id, deliveries,
                               holds, why, decided)
        select *, :now from unnest(
            cast(:d_record as uuid[]), cast(:d_event as uuid[]), cast(:d_number as smallint[]),
            cast(:d_state as text[]), cast(:d_reason as text[]), cast(:d_owner as text[]),
            cast(:d_due as timestamptz[]),
            cast(:d_person as uuid[]), cast(:d_case as uuid[]), cast(:d_deliveries as smallint[]),
            cast(:d_holds as smallint[]), cast(:d_why as jsonb[]))
    """,
    "no_longer_undecided": """
        delete from undecided where ctid = any(array(
            select u.at from unnest(cast(:f_lane as bytea[]), cast(:f_event as uuid[])) as t(lane, event_id)
            cross join lateral (
                select u.ctid as at from undecided u where u.lane = t.lane and u.event_id = t.event_id limit 1
            ) u
        ))
    """,
    "withdrawn": """
        update evidence set withdrawn = true where ctid = any(array(
            select e.at from unnest(cast(:x_person as uuid[]), cast(:x_fact as bytea[])) as t(person_id, fact)
            cross join lateral (
                select e.ctid as at from evidence e
                where e.person_id = t.person_id and e.fact = t.fact and not e.withdrawn offset 0
            ) e
        ))
    """,
    "given": """
        insert into mailboxes (recipient, last)
        select * from unnest(cast(:m_recipient as text[]), cast(:m_count as bigint[])) order by 1
        on conflict (recipient) do update set last = mailboxes.last + excluded.last
        returning recipient, last
    """,
    "delivery": """
        insert into deliveries
            (id, recipient, position, person_id, event_id, record_id, case_id, decision, role, kind, change,
             agreement, state, reason, next, created, trace)
        select t.id, t.recipient, g.last - t.behind, t.person_id, t.event_id, t.record_id, t.case_id, t.decision,
               t.role, t.kind, t.change, t.agreement, 'queued', t.reason, :now, :now, t.trace
        from unnest(
            cast(:q_id as uuid[]), cast(:q_recipient as text[]), cast(:q_behind as bigint[]),
            cast(:q_person as uuid[]), cast(:q_event as uuid[]), cast(:q_record as uuid[]), cast(:q_case as uuid[]),
            cast(:q_decision as smallint[]), cast(:q_role as text[]), cast(:q_kind as text[]),
            cast(:q_change as text[]), cast(:q_agreement as text[]), cast(:q_reason as text[]),
            cast(:q_trace as text[]))
            as t(id, recipient, behind, person_id, event_id, record_id, case_id, decision, role, kind, change,
                 agreement, reason, trace)
        join given g on g.recipient = t.recipient
        returning recipient, position, person_id
    """,
    "queued": """
        insert into queued (recipient, position, person_id) select recipient, position, person_id from delivery
    """,
}
"""What writes into one table each, by a name of its own."""

_LETTERS = ("given", "delivery", "queued")
"""Deliveries take their positions from mailboxes that are counted up in the same statement."""

_NUMBERED = "select recipient, last, pg_notify('deliveries', recipient || ' ' || last) from given"
_NOTHING = "select from (select) as nothing where false"


@cache  # a few dozen of all that could be: what a batch of one writes, and what a full one does
def writing(parts: tuple[str, ...]) -> Statement:
    """The statement of these `PARTS`, and of no other: each table costs time, and every array, though it be empty."""
    written = ", ".join(f"{part} as ({PARTS[part]})" for part in parts)
    return Statement(f"with {written} {_NUMBERED if 'given' in parts else _NOTHING}")


async def write(
    session: Session,
    changes: Changes,
    keys: Sequence[tuple[uuid.UUID, bytes]],
    bodies: Sequence[tuple[uuid.UUID, uuid.UUID, bytes]],
    now: datetime,
) -> list[int]:
    """Every new row of these changes, and what stands no longer; the recipients hear of it with the commit.

    Returns the positions of the letters in their mailboxes.

    keys: of details kept beside evidence, wrapped, by the evidence's id. bodies: id, whose key seals it, the bytes.
    Raises IntegrityError for an event that is decided under the same number already.
    """
    joined = [
        (one.case_id, one.participant.number, one.participant.role.value, one.participant.area, one.participant.since)
        for one in changes.participants
        if isinstance(one, Joined)
    ]
    holds = [(one.event_id, one.decision, one.role.value, one.person_id, one.reason, one.due) for one in changes.holds]
    cases = [(one.id, one.person_id, one.opened_by, one.opened) for one in changes.cases]
    first = [(one.lane, one.event_id) for one in changes.decisions if one.number == 1]
    rows: tuple[tuple[str, str, Sequence[tuple[object, ...]]], ...] = (
        ("person", "p_id p_provisional", changes.persons),
        ("person_key", "k_key k_person k_rule k_event", changes.keys),
        ("said", _EVIDENCE, [_evidence(one) for one, _ in changes.evidence]),
        ("detail_key", "w_id w_wrapped", keys),
        ("body", "b_id b_record b_sealed", bodies),
        ("placed", _PLACED, [_placed(one) for one in changes.placements]),
        ("opened", "c_id c_person c_opened_by c_opened", cases),
        ("responsible", "r_case r_area r_event", changes.responsible),
        ("joined", "j_case j_number j_role j_area j_since", joined),
        ("hold", "h_event h_decision h_role h_person h_reason h_due", holds),
        ("decided", _DECISION, [_decision(one) for one in changes.decisions]),
        ("no_longer_undecided", "f_lane f_event", first),
        ("withdrawn", "x_person x_fact", list(changes.withdrawn)),
    )
    written = [part for part in rows if part[2]]
    parts = tuple(name for name, _, _ in written) + (_LETTERS if changes.letters else ())
    if not parts:
        return []
    told: dict[str, Any] = {"now": now, "first_responsible": FIRST_RESPONSIBLE}
    for _, names, theirs in written:
        told.update(arrays(names, theirs))
    if not changes.letters:
        await session.rows(writing(parts), told)
        return []
    told.update(queued(changes.letters))
    last = {recipient: position for recipient, position, _ in await session.rows(writing(parts), told)}
    return [last[letter.recipient] - behind for letter, behind in zip(changes.letters, told["q_behind"], strict=True)]


_EVIDENCE = "e_id e_person e_event e_fact e_kind e_authority e_flags e_start e_end e_occurred e_known e_withdrawn"
_PLACED = "l_person l_role l_number l_area l_authority l_basis l_confidence l_evidence l_rules l_places l_event"
_DECISION = "d_record d_event d_number d_state d_reason d_owner d_due d_person d_case d_deliveries d_holds d_why"


def _evidence(one: Evidence) -> tuple[object, ...]:
    return (
        one.id,
        one.person_id,
        one.event_id,
        one.fact,
        one.kind,
        one.authority,
        flags_as_json(one),
        one.start,
        one.end,
        one.occurred,
        one.known,
        one.withdrawn,
    )


def flags_as_json(evidence: Evidence) -> str:
    """Flags as the column holds them: an object with a true for each."""
    return orjson.dumps(dict.fromkeys(sorted(evidence.flags), True)).decode() if evidence.flags else "{}"


def _placed(one: Placed) -> tuple[object, ...]:
    answer = one.determination
    return (
        one.person_id,
        answer.role.value,
        one.number,
        answer.area,
        answer.authority,
        answer.basis,
        answer.confidence.value,
        orjson.dumps([str(event) for event in answer.evidence]).decode(),
        answer.rules,
        answer.places,
        one.event_id,
    )


def _decision(one: Decision) -> tuple[object, ...]:
    return (
        one.record_id,
        one.event_id,
        one.number,
        one.state,
        one.reason,
        one.owner,
        one.due,
        one.person_id,
        one.case_id,
        one.deliveries,
        one.holds,
        orjson.dumps(one.why).decode(),
    )
