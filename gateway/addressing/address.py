"""Addressing: who is it, where is home, and who is owed what; one transaction for a batch, once for an event.

Locks are taken in one order everywhere: keys and lanes, persons, mailboxes. So two batches with persons in common wait
for each other and never for good, and what recipients see appears in order.
"""

import uuid
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from gateway.addressing.agreements import Agreements
from gateway.addressing.cases import Left
from gateway.addressing.changes import Changes
from gateway.addressing.desk import Desk
from gateway.addressing.determination import Role, nothing_known
from gateway.addressing.post import Post, seal_details
from gateway.addressing.recipients import Chains
from gateway.addressing.subject import Subject, Told
from gateway.identity.identify import Asked, Identified, identify, look_up
from gateway.identity.keys import keys_of
from gateway.identity.match import Match, by_identifiers
from gateway.kafka.envelope import Envelope
from gateway.parties import Parties
from gateway.sealing import BlindIndex, DataKey, Sealer
from gateway.store import cases, decisions, holds, letters, outcome, persons, placements
from gateway.store.session import Session
from schemas.base import Change, Event, Retraction
from schemas.imprisonment import Merged
from schemas.places import Places

ADULT = 18


@dataclass(frozen=True, slots=True)
class Arrived:
    """A canonical event from its topic, opened. key: its record's. size: of the body, in bytes."""

    envelope: Envelope
    event: Event | Retraction
    key: DataKey
    size: int


@dataclass(frozen=True, slots=True)
class Tools:
    """What addressing decides by. It is the same for every batch of a process."""

    index: BlindIndex
    sealer: Sealer
    namespace: uuid.UUID
    places: Places
    parties: Parties
    agreements: Agreements
    match: Match = by_identifiers


@dataclass(frozen=True, slots=True)
class Addressed:
    """What became of a batch. states: decisions by state, and `repeat` for events that were decided before.

    deliveries: made. recipients: whose mailboxes have something new.
    """

    states: Mapping[str, int]
    deliveries: int
    recipients: frozenset[str]


async def address(session: Session, batch: Sequence[Arrived], now: datetime, tools: Tools) -> Addressed:
    """Decide a batch, in order, inside the caller's transaction. An event that was decided before has no effect."""
    by_id = {one.envelope.id: one for one in batch}
    asked = {event: _asked(one, tools.index) for event, one in by_id.items()}
    known = await look_up(session, asked.values())
    decided = await decisions.decided(session, by_id)
    work = [one for one in by_id.values() if one.envelope.id not in decided]
    repeats = len(batch) - len(work)
    if not work:
        return Addressed({"repeat": repeats}, 0, frozenset())
    before = {one.envelope.supersedes for one in work if one.envelope.supersedes is not None}
    predecessors = await decisions.persons(session, before) if before else {}
    identities = identify([asked[one.envelope.id] for one in work], known, predecessors, tools.match, tools.namespace)
    subjects = await load(session, identities.known(), tools)
    for person_id, provisional in identities.persons:
        subjects[person_id] = _stranger(person_id, provisional, tools.places)
    # Of what this batch decides itself, who has which version is not known yet; the desk learns it as it goes.
    settled = before - {one.envelope.id for one in work}
    chains = await decisions.chains(session, settled) if settled else {}
    desk = new_desk(subjects, chains, now, tools)
    for one in work:
        _decide(desk, one, identities.of[one.envelope.id], subjects)
    desk.changes.persons = identities.persons
    desk.changes.keys = identities.keys
    events = {one.envelope.id: one.event for one in work if isinstance(one.event, Event)}
    keys = {one.envelope.record_id: one.key for one in work}
    done = await write(session, desk.changes, events, keys, now, tools)
    return Addressed({**done.states, "repeat": repeats} if repeats else done.states, done.deliveries, done.recipients)


async def load(session: Session, known: Iterable[uuid.UUID], tools: Tools) -> dict[uuid.UUID, Subject]:
    """Lock these persons, then read all that deciding about them needs."""
    wanted = list(known)
    if not wanted:
        return {}
    locked = await persons.lock(session, wanted)
    subjects = {person: _stranger(person, provisional, tools.places) for person, provisional in locked.items()}
    for evidence in await placements.read_evidence(session, subjects):
        subjects[evidence.person_id].evidence.append(evidence)
    for person_id, number, determination in await placements.read_placements(session, subjects):
        subject = subjects[person_id]
        subject.placed[determination.role] = number
        if determination.role is Role.HOME:
            subject.home = determination
        else:
            subject.holding = determination
    for case in await cases.read_open(session, subjects):
        subjects[case.person_id].case = case
    for person_id, waiting in await holds.read_open(session, subjects):
        subjects[person_id].waiting.append(waiting)
    return subjects


def new_desk(subjects: Mapping[uuid.UUID, Subject], chains: Chains, now: datetime, tools: Tools) -> Desk:
    """A desk for these persons."""
    return Desk(
        subjects=subjects,
        chains=chains,
        now=now,
        today=_day(now),
        namespace=tools.namespace,
        places=tools.places,
        parties=tools.parties,
        agreements=tools.agreements,
    )


async def write(
    session: Session,
    changes: Changes,
    events: Mapping[uuid.UUID, Event],
    keys: Mapping[uuid.UUID, DataKey],
    now: datetime,
    tools: Tools,
) -> Addressed:
    """Write down what a desk decided: what stands no longer, what is new, what is mended or ends; mailboxes last."""
    if changes.withdrawn:
        await placements.withdraw(session, changes.withdrawn)
    details, bodies = seal_details(changes.evidence, tools.sealer)
    if changes.letters:
        post = Post(events, keys, changes.evidence)
        await post.fetch(session, changes.letters, tools.sealer)
        bodies += post.write(changes.letters, tools.agreements, tools.places, _day(now))
    await outcome.write(session, changes, details, bodies, now)
    if changes.mended:
        await placements.mend_evidence(session, changes.mended)
    if left := [one for one in changes.participants if isinstance(one, Left)]:
        await cases.end_participants(session, left)
    if changes.releases:
        await holds.release(session, changes.releases, now)
    if changes.letters:
        await letters.put(session, changes.letters, now)
    return Addressed(
        states=Counter(decision.state for decision in changes.decisions),
        deliveries=len(changes.letters),
        recipients=frozenset(letter.recipient for letter in changes.letters),
    )


def _asked(one: Arrived, index: BlindIndex) -> Asked:
    envelope, event = one.envelope, one.event
    keys = keys_of(event, index) if isinstance(event, Event) else ()
    mints = isinstance(event, Event) and not isinstance(event, Merged)
    return Asked(envelope.id, keys, envelope.lane, envelope.supersedes, mints)


def _decide(desk: Desk, one: Arrived, who: Identified, subjects: Mapping[uuid.UUID, Subject]) -> None:
    told, event = _told(one), one.event
    if isinstance(event, Retraction):
        desk.take_back(told, who.person, event.reason)
    elif who.person is None or (who.candidates and not told.referral and _in_a_case(who, subjects)):
        desk.wait_for_match(told, event, who.person, len(who.candidates))
    else:
        desk.receive(told, event, who.person, who.rule)


def _in_a_case(who: Identified, subjects: Mapping[uuid.UUID, Subject]) -> bool:
    """Whether somebody may be waiting for this event: one of those it may speak of has a case."""
    return any(subjects[person].case is not None for person in who.candidates if person in subjects)


def _told(one: Arrived) -> Told:
    envelope, event = one.envelope, one.event
    return Told(
        id=envelope.id,
        record_id=envelope.record_id,
        sender=envelope.sender,
        agency=envelope.agency,
        kind=envelope.kind,
        change=Change(envelope.change),
        supersedes=envelope.supersedes,
        fact=envelope.fact,
        occurred=envelope.occurred,
        recorded=envelope.recorded,
        trace=envelope.trace,
        referral=isinstance(event, Event) and event.opens_case,
        adult=not isinstance(event, Event) or is_adult(event),
    )


def is_adult(event: Event) -> bool:
    """Whether the person was 18 when it happened. Nobody is taken for a child because a birth date is missing."""
    birth = event.person.date_of_birth
    if birth is None:
        return True
    on = _day(event.occurred.at)
    return (on.year - birth.year - ((on.month, on.day) < (birth.month, birth.day))) >= ADULT


_LOCAL = ZoneInfo("Europe/London")


def _day(instant: datetime) -> date:
    """The day an instant falls on where the agencies are."""
    return instant.astimezone(_LOCAL).date()


def _stranger(person_id: uuid.UUID, provisional: bool, places: Places) -> Subject:
    return Subject(
        id=person_id,
        provisional=provisional,
        home=nothing_known(Role.HOME, places),
        holding=nothing_known(Role.HOLDING, places),
    )
