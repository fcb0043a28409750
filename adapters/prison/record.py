"""One record about one prisoner: the event, the snapshot attached to it, and both checked against each other."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Generic, TypeVar

from pydantic import BaseModel, ValidationError

from adapters.base import Finding, Held, Outcome, UnknownCode
from adapters.hmpps.envelope import Faulty, Opened
from adapters.local_time import Told
from adapters.prison import rules
from adapters.prison.snapshot import person_of
from adapters.prison.wire import DomainEvent, Snapshot, faults
from schemas.base import Person, Precision
from schemas.identifiers import Scheme, parse

SLACK = timedelta(days=1)
"""How far a source's clock may run ahead before its record is taken for a mistake."""

Shape = TypeVar("Shape", bound=BaseModel)
Said = TypeVar("Said", bound=DomainEvent)


@dataclass(frozen=True, slots=True)
class Record(Generic[Said]):
    """A record that can be translated. number: the prison number in canonical form."""

    event: Said
    number: str
    snapshot: Snapshot | None
    fetched: datetime | None
    findings: tuple[Finding, ...]

    @property
    def lane(self) -> str:
        """The lane of everything about this person."""
        return lane_of(self.number)

    @property
    def booking(self) -> str | None:
        """The stay the record is about, where it says so."""
        told = self.event.additional_information.booking_id
        return told if told is not None or self.snapshot is None else self.snapshot.booking_id

    def person(self) -> tuple[Person, tuple[Finding, ...]]:
        """The person as far as the record knows them. Raises UnknownCode."""
        if self.snapshot is not None:
            filled = person_of(self.snapshot)
            return filled.person, filled.findings
        claims = [parse(Scheme.NOMS, self.number).identifier]
        if self.booking is not None:
            claims.append(parse(Scheme.BOOKING, self.booking).identifier)
        return Person(identifiers=tuple(claims)), ()


def lane_of(number: str) -> str:
    """The lane of a prison number."""
    return f"NOMS:{number}"


def read_record(opened: Opened, shape: type[Said], received: datetime) -> Record[Said]:
    """Read the event in its shape and the snapshot beside it. Raises Faulty with every fault of both."""
    found: list[Finding] = []
    event = _parsed(shape, opened.event, (), found)
    snapshot = None
    if opened.snapshot is not None:
        snapshot = _parsed(Snapshot, opened.snapshot, ("snapshot",), found)
    number = None
    if event is not None:
        number = _number(event, found)
        found.extend(not_yet(event.occurred_at, "occurredAt", received))
    if snapshot is not None:
        if number is not None and parse(Scheme.NOMS, snapshot.prisoner_number).identifier.value != number:
            found.append(Finding(rules.SNAPSHOT_OF_ANOTHER, "snapshot.prisonerNumber"))
        if snapshot.date_of_birth is not None and snapshot.date_of_birth > received.date():
            found.append(Finding(rules.BORN_IN_THE_FUTURE, "snapshot.dateOfBirth"))
    if found or event is None or number is None:
        raise Faulty(found)
    warnings = (*opened.findings, *clock_doubts(event.occurred_at, "occurredAt"))
    return Record(event, number, snapshot, opened.fetched, warnings)


def _parsed(shape: type[Shape], value: object, under: tuple[str, ...], found: list[Finding]) -> Shape | None:
    try:
        return shape.model_validate(value)
    except ValidationError as error:
        found.extend(faults(error, *under))
        return None


def _number(event: DomainEvent, found: list[Finding]) -> str | None:
    """The one prison number of an event, in canonical form; None when a fault was added instead."""
    given = event.prison_numbers
    if not given:
        found.append(Finding(rules.MISSING, "additionalInformation.nomsNumber"))
        return None
    read = {parse(Scheme.NOMS, number).identifier.value for _, number in given}
    if None in read:
        found.append(Finding(rules.PRISON_NUMBER_UNREADABLE, given[0][0]))
        return None
    if len(read) > 1:
        found.append(Finding(rules.PRISON_NUMBERS_DIFFER, given[-1][0]))
        return None
    return read.pop()


def not_yet(told: Told, field: str, received: datetime) -> list[Finding]:
    """A fault where something is said to happen later than any clock's error explains."""
    return [Finding(rules.IN_THE_FUTURE, field)] if told.moment.at > received + SLACK else []


def clock_doubts(told: Told, field: str) -> list[Finding]:
    """What a local time left open."""
    doubts = []
    if told.moment.zone_assumed and told.moment.precision is not Precision.DAY:
        doubts.append(Finding(rules.ZONE_ASSUMED, field))
    if told.doubt is not None:
        doubts.append(Finding(rules.CLOCK_CHANGE, field, told.doubt.value))
    return doubts


_PRINTABLE = re.compile(r"[A-Za-z0-9_]{1,40}", re.ASCII)


def told_or_held(record: Record[Said], tell: Callable[[], Outcome]) -> Outcome:
    """What the record tells, or held by the name of the code nobody has mapped."""
    try:
        return tell()
    except UnknownCode as unknown:
        return held_for(unknown, record.findings, record.lane)


def held_for(unknown: UnknownCode, findings: tuple[Finding, ...], lane: str) -> Held:
    """Held until operations map the code. The code is named only if it looks like one."""
    detail = unknown.code if _PRINTABLE.fullmatch(unknown.code) else "not the form of a code"
    return Held("code_not_mapped", (*findings, Finding(rules.CODE_NOT_MAPPED, unknown.table, detail)), lane)
