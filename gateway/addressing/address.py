"""Addressing: who is it, where is home, and who is owed what; one transaction for a batch, once for an event.

Locks are taken in one order everywhere: keys and lanes, persons, mailboxes. So two batches with persons in common wait
for each other and never for good, and what recipients see appears in order.
"""

import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

from gateway.addressing.agreements import Agreements
from gateway.addressing.changes import Changes
from gateway.addressing.desk import Desk
from gateway.addressing.document import Letter
from gateway.addressing.post import Body, Post, seal_details
from gateway.addressing.recipients import Chains
from gateway.addressing.subject import Subject, Told
from gateway.addressing.turn import in_turn
from gateway.delivery.delivery import Delivery
from gateway.failpoints import reach
from gateway.identity.identify import Asked, Identified, identify
from gateway.identity.keys import keys_of
from gateway.identity.match import Match, by_identifiers
from gateway.kafka.envelope import Envelope
from gateway.parties import Parties
from gateway.sealing import BlindIndex, DataKey, Sealer
from gateway.store import outcome, persons
from gateway.store.amendments import amend
from gateway.store.lookup import LookedUp, locks_of, look_up
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

    queued: the deliveries made, as a courier reads them; in the order of each mailbox.
    """

    states: Mapping[str, int]
    queued: Sequence[Delivery] = ()

    @property
    def deliveries(self) -> int:
        """How many deliveries were made."""
        return len(self.queued)

    @property
    def recipients(self) -> frozenset[str]:
        """Whose mailboxes have something new."""
        return frozenset(one.recipient for one in self.queued)


async def address(session: Session, batch: Sequence[Arrived], now: datetime, tools: Tools) -> Addressed:
    """Decide a batch in one transaction, in the order of its lanes. An event that was decided before has no effect."""
    by_id = {one.envelope.id: one for one in batch}
    records = {event: one.envelope.record_id for event, one in by_id.items()}
    asked = {event: _asked(one, tools.index) for event, one in by_id.items()}
    keys = {key.value for one in asked.values() for key in one.keys}
    lanes = {one.lane for one in asked.values()}
    async with session.transaction(locks=locks_of(keys | lanes)):
        before = {one.envelope.supersedes for one in batch if one.envelope.supersedes is not None}
        found = await look_up(session, events=records, before=before, keys=keys - lanes, lanes=lanes, now=now)
        arrived = await in_turn(session, list(by_id.values()), found.undecided)
        work = [one for one in arrived if one.envelope.id not in found.decided]
        done = await _decide_all(session, work, asked, found, now, tools)
        reach("T3")
    repeats = len(arrived) - len(work)
    return replace(done, states={**done.states, "repeat": repeats}) if repeats else done


async def _decide_all(
    session: Session,
    work: Sequence[Arrived],
    asked: Mapping[uuid.UUID, Asked],
    found: LookedUp,
    now: datetime,
    tools: Tools,
) -> Addressed:
    if not work:
        return Addressed({})
    identities = identify(
        [asked[one.envelope.id] for one in work], found.known, found.predecessors, tools.match, tools.namespace
    )
    known = {person: found.persons[person] for person in identities.known()}
    # Of what this batch decides itself, who has which version is not known yet; the desk learns it as it goes.
    before = {one.envelope.supersedes for one in work if one.envelope.supersedes is not None}
    subjects, chains = await persons.read(session, known, before - {one.envelope.id for one in work}, tools.places)
    for person_id, provisional in identities.persons:
        subjects[person_id] = persons.stranger(person_id, provisional, tools.places)
    desk = new_desk(subjects, chains, now, tools)
    for one in work:
        _decide(desk, one, identities.of[one.envelope.id], subjects)
    desk.changes.persons = identities.persons
    desk.changes.keys = identities.keys
    events = {one.envelope.id: one.event for one in work if isinstance(one.event, Event)}
    keys = {one.envelope.record_id: one.key for one in work}
    return await write(session, desk.changes, events, keys, now, tools)


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
    """Write down what a desk decided: what is new, what stands no longer, and what is mended or ends."""
    details, bodies = seal_details(changes.evidence, tools.sealer)
    documents: list[Body] = []
    post = Post(events, keys, changes.evidence)
    if changes.letters:
        await post.fetch(session, changes.letters, tools.sealer)
        documents = post.write(changes.letters, tools.agreements, tools.places, _day(now))
    positions = await outcome.write(session, changes, details, [*bodies, *documents], now)
    await amend(session, changes, now)
    return Addressed(
        states=Counter(decision.state for decision in changes.decisions),
        queued=[
            _delivery(letter, position, sealed, post.key_of(letter).wrapped, now)
            for letter, position, (_, _, sealed) in zip(changes.letters, positions, documents, strict=True)
        ],
    )


def _delivery(letter: Letter, position: int, sealed: bytes, wrapped: bytes, now: datetime) -> Delivery:
    """A delivery as it is queued."""
    event = letter.event
    return Delivery(
        id=letter.id,
        recipient=letter.recipient,
        position=position,
        person_id=letter.person_id,
        record_id=event.record_id,
        kind=event.kind,
        change=letter.change.value,
        role=letter.role,
        created=now,
        trace=event.trace,
        attempts=0,
        next=now,
        tried=None,
        sealed=sealed,
        wrapped=wrapped,
        read=now,
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
        lane=envelope.lane,
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
