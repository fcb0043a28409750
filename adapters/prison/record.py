"""One record about one prisoner: the event, the snapshot attached to it, and both checked against each other."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Generic, TypeVar

from adapters.base import Finding, Outcome, UnknownCode
from adapters.hmpps.checks import Checks
from adapters.hmpps.envelope import Faulty, Opened
from adapters.prison import rules
from adapters.prison.snapshot import person_of
from adapters.prison.wire import DomainEvent, Snapshot
from schemas.base import Person
from schemas.identifiers import Scheme, parse

CHECKS: Final = Checks(
    missing=rules.MISSING,
    malformed=rules.MALFORMED,
    in_the_future=rules.IN_THE_FUTURE,
    born_in_the_future=rules.BORN_IN_THE_FUTURE,
    code_not_mapped=rules.CODE_NOT_MAPPED,
    zone_assumed=rules.ZONE_ASSUMED,
    clock_change=rules.CLOCK_CHANGE,
)
"""Our rules for what prison and probation check alike."""

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
    event = CHECKS.parsed(shape, opened.event, found)
    snapshot = None
    if opened.snapshot is not None:
        snapshot = CHECKS.parsed(Snapshot, opened.snapshot, found, "snapshot")
    number = None
    if event is not None:
        number = _number(event, found)
        found.extend(CHECKS.not_yet(event.occurred_at, "occurredAt", received))
    if snapshot is not None:
        if number is not None and parse(Scheme.NOMS, snapshot.prisoner_number).identifier.value != number:
            found.append(Finding(rules.SNAPSHOT_OF_ANOTHER, "snapshot.prisonerNumber"))
        found.extend(CHECKS.not_born_yet(snapshot.date_of_birth, "snapshot.dateOfBirth", received))
    if found or event is None or number is None:
        raise Faulty(found)
    warnings = (*opened.findings, *CHECKS.clock_doubts(event.occurred_at, "occurredAt"))
    return Record(event, number, snapshot, opened.fetched, warnings)


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


def told_or_held(record: Record[Said], tell: Callable[[], Outcome]) -> Outcome:
    """What the record tells, or held by the name of the code nobody has mapped."""
    try:
        return tell()
    except UnknownCode as unknown:
        return CHECKS.held_for(unknown, record.findings, record.lane)
