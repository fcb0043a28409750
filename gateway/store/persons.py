"""Persons as addressing decides about them: evidence, placement, open case, what waits, and who was told what."""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import groupby
from typing import Any

import orjson

from gateway.addressing.determination import Confidence, Determination, Role, nothing_known
from gateway.addressing.evidence import Evidence
from gateway.addressing.recipients import Chains, Holder
from gateway.addressing.subject import Case, HeldRole, Participant, Subject, Told, Waiting
from gateway.store.session import Session
from gateway.store.statement import Statement
from schemas.base import Change, Standing
from schemas.places import Places

_LOCK = Statement("select id, provisional from persons where id = any(cast(:persons as uuid[])) order by id for update")

_OF_WAITING = Statement(
    """
    select distinct h.person_id
    from unnest(cast(:events as uuid[])) as t(id)
    cross join lateral (select * from holds h where h.event_id = t.id offset 0) h
    where h.released is null and h.person_id is not null
    """
)

# What grows is looked up one by one (lateral with a limit or an offset), which no plan turns into a join: see `lookup`.
# Evidence, placements and cases come as a list a column, which the driver reads in half the time of a list of rows. A
# case has a row per participant it ever had, and one if it has none. What waits and was erased meanwhile can be decided
# no more, and is left out. Of a chain of corrections, the last thing each recipient was told of it.
_READ = Statement(
    """
    with recursive chain (start, id, record_id, supersedes, depth) as (
        select e.id, e.id, e.record_id, e.supersedes, 0
        from unnest(cast(:told as uuid[])) as t(id)
        cross join lateral (select * from events e where e.id = t.id limit 1) e
        union all
        select c.start, e.id, e.record_id, e.supersedes, c.depth + 1
        from chain c cross join lateral (select * from events e where e.id = c.supersedes limit 1) e
    ), person as (
        select id from unnest(cast(:persons as uuid[])) as t(id)
    )
    select array(
        select row(h.event_id, h.decision, h.role, h.person_id, h.reason,
                   (select max(d.number) from decisions d where d.record_id = e.record_id and d.event_id = e.id),
                   array(
                       select d.recipient from deliveries d
                       where d.record_id = e.record_id and d.event_id = e.id and d.change <> 'retraction'
                   ),
                   (select d.why ->> 'standing' from decisions d
                    where d.record_id = e.record_id and d.event_id = e.id and d.number = 1),
                   e.record_id, e.lane, e.sender, e.agency, e.kind, e.change, e.supersedes, e.fact, e.occurred,
                   e.recorded, e.trace)
        from person
        cross join lateral (
            select * from holds h where h.person_id = person.id and h.released is null offset 0
        ) h
        cross join lateral (select * from events e where e.id = h.event_id limit 1) e
        where exists (select from data_keys k where k.record_id = e.record_id offset 0)
          and exists (select from bodies b where b.record_id = e.record_id and b.id = e.id offset 0)
        order by min(h.since) over (partition by h.event_id), e.seq, h.decision, h.role
    ), array(
        select row(t.start, t.recipient, t.role, t.agreement)
        from (
            select distinct on (c.start, d.recipient) c.start, d.recipient, d.role, d.agreement, d.change
            from chain c cross join lateral (
                select * from deliveries d where d.record_id = c.record_id and d.event_id = c.id offset 0
            ) d
            order by c.start, d.recipient, c.depth, d.decision desc
        ) t
        where t.change <> 'retraction'
        order by t.start, t.recipient
    ), said.*, placed.*, taking_part.*
    from (
        select array_agg(id), array_agg(person_id), array_agg(event_id), array_agg(fact), array_agg(kind),
               array_agg(authority), array_agg(cast(flags as text)), array_agg(start), array_agg("end"),
               array_agg(occurred), array_agg(known)
        from (
            select * from evidence where person_id = any(cast(:persons as uuid[])) and not withdrawn order by known, id
        ) e
    ) said cross join (
        select array_agg(p.person_id), array_agg(p.number), array_agg(p.role), array_agg(p.area),
               array_agg(p.authority), array_agg(p.basis), array_agg(p.confidence), array_agg(p.rules),
               array_agg(p.places)
        from person cross join (values ('home'), ('holding')) as r(role)
        cross join lateral (
            select * from placements p where p.person_id = person.id and p.role = r.role order by p.number desc limit 1
        ) p
    ) placed cross join (
        select array_agg(c.person_id), array_agg(c.id), array_agg(c.opened_by), array_agg(c.opened), array_agg(r.area),
               array_agg(p.number), array_agg(p.role), array_agg(p.area), array_agg(p.since), array_agg(p.until)
        from person
        cross join lateral (select * from cases c where c.person_id = person.id and c.closed is null limit 1) c
        left join lateral (
            select area from responsibilities r where r.case_id = c.id order by r.number desc limit 1
        ) r on true
        left join lateral (select * from participants p where p.case_id = c.id offset 0) p on true
    ) taking_part
    """
)

_EVIDENCE, _PLACED, _TAKING_PART = 11, 9, 10
"""How many lists of columns there are of each, in this order."""


async def of_waiting(session: Session, events: Iterable[uuid.UUID]) -> list[uuid.UUID]:
    """The persons of those of these events that wait."""
    return [person for (person,) in await session.rows(_OF_WAITING, {"events": list(events)})]


async def lock(session: Session, persons: Iterable[uuid.UUID]) -> Mapping[uuid.UUID, bool]:
    """Lock these persons' rows in id order, and tell of each that exists whether it only stands in."""
    return dict(await session.rows(_LOCK, {"persons": list(persons)}))


async def read(
    session: Session, persons: Mapping[uuid.UUID, bool], told: Iterable[uuid.UUID], places: Places
) -> tuple[dict[uuid.UUID, Subject], Chains]:
    """These locked persons as they stand, and who has the facts of which events, in their version or an earlier one.

    persons: whether each only stands in for others.
    """
    asked = list(told)
    subjects = {person: stranger(person, provisional, places) for person, provisional in persons.items()}
    chains: Chains = {event: {} for event in asked}
    if not subjects and not asked:
        return subjects, chains
    waiting, holders, *columns = await session.row(_READ, {"persons": list(persons), "told": asked})
    for identity, person, event, fact, kind, authority, flags, *dated in _rows(columns[:_EVIDENCE]):
        said = Evidence(identity, person, event, fact, kind, authority, _flags(flags), *dated)
        subjects[person].evidence.append(said)
    for person, number, role, *determined in _rows(columns[_EVIDENCE:-_TAKING_PART]):
        _place(subjects[person], number, _determination(role, *determined))
    for person, *row in _rows(columns[-_TAKING_PART:]):
        _take_part(subjects[person], *row)
    for _, held in groupby(waiting, key=lambda row: row[0]):
        _wait(subjects, list(held))
    for event, recipient, role, agreement in holders:
        chains[event][recipient] = Holder(role, agreement)
    return subjects, chains


def stranger(person: uuid.UUID, provisional: bool, places: Places) -> Subject:
    """A person of whom nothing is known. provisional: it only stands in until a match is decided."""
    return Subject(
        id=person,
        provisional=provisional,
        home=nothing_known(Role.HOME, places),
        holding=nothing_known(Role.HOLDING, places),
    )


@lru_cache(maxsize=4096)  # the same few stand for many persons
def _determination(
    role: str, area: str | None, authority: str | None, basis: str, confidence: str, rules: str, places: str
) -> Determination:
    """The determination in force, without the events it came from."""
    return Determination(Role(role), area, authority, basis, Confidence(confidence), (), rules, places)


def _rows(columns: Iterable[Sequence[Any] | None]) -> Iterable[tuple[Any, ...]]:
    """Rows again from a list a column; a column of no rows is none."""
    return zip(*(column or () for column in columns), strict=True)


@lru_cache(maxsize=64)  # the same few combinations stand for all
def _flags(column: str) -> frozenset[str]:
    """The flags of evidence, as they are kept: an object with a true for each."""
    return frozenset(orjson.loads(column))


def _place(subject: Subject, number: int, determination: Determination) -> None:
    subject.placed[determination.role] = number
    if determination.role is Role.HOME:
        subject.home = determination
    else:
        subject.holding = determination


def _take_part(subject: Subject, case_id: uuid.UUID, *row: Any) -> None:
    """The open case, from a row for each participant: also for those who are so no longer, whose numbers are taken."""
    opened_by, opened, responsible, number, role, area, since, until = row
    if subject.case is None:
        subject.case = Case(case_id, subject.id, opened_by, opened, responsible)
    if number is None:
        return
    subject.case.numbered = max(subject.case.numbered, number)
    if until is None:
        taken = Role(role)
        subject.case.participants[taken] = Participant(number, taken, area, since)


def _wait(subjects: Mapping[uuid.UUID, Subject], held: list[Any]) -> None:
    """One event that waits, from a row for each role that it waits for."""
    event, _, _, person, _, last, sent, standing, record, lane, sender, agency, *rest = held[0]
    kind, change, supersedes, fact, occurred, recorded, trace = rest
    told = Told(
        id=event,
        record_id=record,
        lane=lane,
        sender=sender,
        agency=agency,
        kind=kind,
        change=Change(change),
        supersedes=supersedes,
        fact=fact,
        occurred=occurred,
        recorded=recorded,
        trace=trace,
        referral=standing == Standing.REFERRAL,
    )
    holds = tuple(HeldRole(decision, Role(role), reason) for _, decision, role, _, reason, *_ in held)
    subjects[person].waiting.append(Waiting(told, holds, last, frozenset(sent)))
