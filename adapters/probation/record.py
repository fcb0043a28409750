"""One record about one case: the event, the case attached to it, and both checked against each other."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final, TypeVar

from pydantic import BaseModel, ValidationError

from adapters.base import Finding, Held, UnknownCode
from adapters.hmpps.envelope import Faulty, Opened
from adapters.local_time import Told, day_moment
from adapters.probation import codes, rules
from adapters.probation.wire import DomainEvent, Snapshot, faults
from schemas.base import Moment, Precision, Sensitivity
from schemas.identifiers import Scheme, parse

SLACK = timedelta(days=1)
"""How far a source's clock may run ahead before its record is taken for a mistake."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Shape = TypeVar("Shape", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Record:
    """A record that can be translated. crn: in canonical form, the one that survives where cases were merged."""

    event: DomainEvent
    crn: str
    snapshot: Snapshot | None
    fetched: datetime | None
    findings: tuple[Finding, ...]

    @property
    def lane(self) -> str:
        """The lane of everything about this person."""
        return lane_of(self.crn)

    @property
    def version(self) -> int:
        """Of what the case tells: microseconds since 1970 of when it was fetched, or of the event where unknown."""
        at = self.fetched or self.event.occurred_at.moment.at
        return (at - _EPOCH) // timedelta(microseconds=1)

    @property
    def sensitivity(self) -> frozenset[Sensitivity]:
        """Why anything told from this record needs care."""
        limited = self.snapshot is not None and self.snapshot.limited_access
        return frozenset({Sensitivity.OFFENCE, Sensitivity.LAO} if limited else {Sensitivity.OFFENCE})

    def on(self, day: date | None) -> Moment:
        """A day the case gives, or when the event says it happened where the case gives none."""
        return day_moment(day) if day is not None else self.event.occurred_at.moment


def lane_of(crn: str) -> str:
    """The lane of a CRN."""
    return f"CRN:{crn}"


def read_record(opened: Opened, received: datetime) -> Record:
    """Read the event and the case beside it. Raises Faulty with every fault of both."""
    found: list[Finding] = []
    odd = list(opened.findings)
    event = _parsed(DomainEvent, opened.event, (), found)
    snapshot = None
    if opened.snapshot is not None:
        snapshot = _parsed(Snapshot, opened.snapshot, ("snapshot",), found)
    crn = None
    if event is not None:
        crn = _crn(event, found)
        found.extend(not_yet(event.occurred_at, "occurredAt", received))
        odd.extend(clock_doubts(event.occurred_at, "occurredAt"))
    if snapshot is not None:
        if crn is not None:
            crn = _surviving(crn, snapshot, found, odd)
        if snapshot.date_of_birth is not None and snapshot.date_of_birth > received.date():
            found.append(Finding(rules.BORN_IN_THE_FUTURE, "snapshot.dateOfBirth"))
    if found or event is None or crn is None:
        raise Faulty(found)
    return Record(event, crn, snapshot, opened.fetched, tuple(odd))


def _parsed(shape: type[Shape], value: Mapping[str, Any], under: tuple[str, ...], found: list[Finding]) -> Shape | None:
    try:
        return shape.model_validate(value)
    except ValidationError as error:
        found.extend(faults(error, *under))
        return None


def _crn(event: DomainEvent, found: list[Finding]) -> str | None:
    """The one CRN of an event, in canonical form; None when a fault was added instead."""
    given = event.identifiers("CRN")
    if not given:
        found.append(Finding(rules.MISSING, "personReference.identifiers"))
        return None
    read = {parse(Scheme.CRN, crn).identifier.value for crn in given}
    if None in read or len(read) > 1:
        rule = rules.CRN_UNREADABLE if None in read else rules.CRNS_DIFFER
        found.append(Finding(rule, "personReference.identifiers"))
        return None
    return read.pop()


def _surviving(crn: str, snapshot: Snapshot, found: list[Finding], odd: list[Finding]) -> str:
    """The CRN of the case: the event's own, or the one that the event's was merged into."""
    own = parse(Scheme.CRN, snapshot.other_ids.crn).identifier.value
    if own is not None and own != crn and crn in merged_into(snapshot):
        odd.append(Finding(rules.CRN_MERGED_AWAY, "snapshot.otherIds.crn"))
        return own
    if own != crn:
        found.append(Finding(rules.SNAPSHOT_OF_ANOTHER, "snapshot.otherIds.crn"))
    return crn


def merged_into(snapshot: Snapshot) -> tuple[str, ...]:
    """The CRNs that were merged into a case, in canonical form."""
    gone = (one.value for one in snapshot.additional_identifiers if one.type.code == codes.MERGED_FROM)
    read = (parse(Scheme.CRN, crn).identifier.value for crn in gone)
    return tuple(dict.fromkeys(crn for crn in read if crn is not None))


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


def not_filled(record: Record, field: str) -> Held:
    """Held until a case is attached that tells this field."""
    return Held("pointer_not_filled", (*record.findings, Finding(rules.POINTER_NOT_FILLED, field)), record.lane)


_PRINTABLE: Final = re.compile(r"[A-Za-z0-9_]{1,40}", re.ASCII)


def held_for(unknown: UnknownCode, findings: tuple[Finding, ...], lane: str) -> Held:
    """Held until operations map the code. The code is named only if it looks like one."""
    detail = unknown.code if _PRINTABLE.fullmatch(unknown.code) else "not the form of a code"
    return Held("code_not_mapped", (*findings, Finding(rules.CODE_NOT_MAPPED, unknown.table, detail)), lane)
