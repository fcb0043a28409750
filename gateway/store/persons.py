"""Persons as addressing decides about them: evidence, placement, open case, what waits, and who was told what."""

import uuid
from collections.abc import Iterable, Mapping
from functools import lru_cache
from itertools import groupby
from typing import Any

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
    select distinct person_id from holds
    where released is null and person_id is not null and event_id = any(cast(:events as uuid[]))
    """
)

# A chain leads to events and deliveries one by one (lateral), as in `lookup`. A case has a row per open participant,
# and one if it has none. What waits and was erased meanwhile can be decided no more, and is left out. Of a chain of
# corrections, the last thing each recipient was told of it.
_READ = Statement(
    """
    with recursive chain (start, id, depth) as (
        select id, id, 0 from unnest(cast(:told as uuid[])) as t(id)
        union all
        select c.start, e.supersedes, c.depth + 1
        from chain c cross join lateral (select * from events e where e.id = c.id limit 1) e
        where e.supersedes is not null
    )
    select array(
        select row(id, person_id, event_id, fact, kind, authority, array(select jsonb_object_keys(flags)), start, "end",
                   occurred, known)
        from evidence where person_id = any(cast(:persons as uuid[])) and not withdrawn
        order by known, id
    ), array(
        select row(p.person_id, p.role, p.number, p.area, p.authority, p.basis, p.confidence, p.rules, p.places)
        from unnest(cast(:persons as uuid[])) as t(id)
        cross join (values ('home'), ('holding')) as r(role)
        cross join lateral (
            select * from placements x where x.person_id = t.id and x.role = r.role order by x.number desc limit 1
        ) p
    ), array(
        select row(c.id, c.person_id, c.opened_by, c.opened,
                   (select r.area from responsibilities r where r.case_id = c.id order by r.number desc limit 1),
                   (select coalesce(max(a.number), 0) from participants a where a.case_id = c.id),
                   p.number, p.role, p.area, p.since)
        from cases c left join participants p on p.case_id = c.id and p.until is null
        where c.person_id = any(cast(:persons as uuid[])) and c.closed is null
        order by c.id, p.number
    ), array(
        select row(h.event_id, h.decision, h.role, h.person_id, h.reason,
                   (select max(d.number) from decisions d where d.event_id = h.event_id),
                   array(
                       select d.recipient from deliveries d
                       where d.event_id = h.event_id and d.change <> 'retraction'
                   ),
                   first.why ->> 'standing', e.record_id, e.sender, e.agency, e.kind, e.change, e.supersedes, e.fact,
                   e.occurred, e.recorded, e.trace)
        from holds h
        join events e on e.id = h.event_id
        join decisions first on first.event_id = h.event_id and first.number = 1
        where h.released is null and h.person_id = any(cast(:persons as uuid[]))
          and exists (select from data_keys k where k.record_id = e.record_id)
          and exists (select from bodies b where b.record_id = e.record_id and b.id = e.id)
        order by (select min(o.since) from holds o where o.event_id = h.event_id and o.released is null), e.seq,
                 h.decision, h.role
    ), array(
        select row(t.start, t.recipient, t.role, t.agreement)
        from (
            select distinct on (c.start, d.recipient) c.start, d.recipient, d.role, d.agreement, d.change
            from chain c cross join lateral (select * from deliveries d where d.event_id = c.id offset 0) d
            order by c.start, d.recipient, c.depth, d.decision desc
        ) t
        where t.change <> 'retraction'
        order by t.start, t.recipient
    )
    """
)


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
    rows = await session.row(_READ, {"persons": list(persons), "told": asked})
    evidence, placements, cases, waiting, holders = rows
    for identity, person, event, fact, kind, authority, flags, *dated in evidence:
        said = Evidence(identity, person, event, fact, kind, authority, frozenset(flags), *dated)
        subjects[person].evidence.append(said)
    for person, role, number, *determined in placements:
        _place(subjects[person], number, _determination(role, *determined))
    for row in cases:
        _take_part(subjects[row[1]], *row)
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


def _place(subject: Subject, number: int, determination: Determination) -> None:
    subject.placed[determination.role] = number
    if determination.role is Role.HOME:
        subject.home = determination
    else:
        subject.holding = determination


def _take_part(subject: Subject, case_id: uuid.UUID, *row: Any) -> None:
    person, opened_by, opened, responsible, numbered, number, role, area, since = row
    if subject.case is None:
        subject.case = Case(case_id, person, opened_by, opened, responsible, {}, numbered)
    if number is not None:
        taken = Role(role)
        subject.case.participants[taken] = Participant(number, taken, area, since)


def _wait(subjects: Mapping[uuid.UUID, Subject], held: list[Any]) -> None:
    """One event that waits, from a row for each role that it waits for."""
    event, _, _, person, _, last, sent, standing, record, sender, agency, kind, change, *rest = held[0]
    supersedes, fact, occurred, recorded, trace = rest
    told = Told(
        id=event,
        record_id=record,
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
