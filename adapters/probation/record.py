"""One record about one case: the event, the case attached to it, and both checked against each other."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final

from adapters.base import Finding, Held
from adapters.hmpps.checks import Checks
from adapters.hmpps.envelope import Faulty, Opened
from adapters.local_time import day_moment
from adapters.probation import codes, rules
from adapters.probation.wire import DomainEvent, Snapshot
from schemas.base import Moment, Sensitivity
from schemas.identifiers import Scheme, parse

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

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
        at = self.fetched or self.event.occurred_at.at
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
    event = CHECKS.parsed(DomainEvent, opened.event, found)
    snapshot = None
    if opened.snapshot is not None:
        snapshot = CHECKS.parsed(Snapshot, opened.snapshot, found, "snapshot")
    crn = None
    if event is not None:
        crn = _crn(event, found)
        found.extend(CHECKS.not_yet(event.occurred_at, "occurredAt", received))
        odd.extend(CHECKS.clock_doubts(event.occurred_at, "occurredAt"))
    if snapshot is not None:
        if crn is not None:
            crn = _surviving(crn, snapshot, found, odd)
        found.extend(CHECKS.not_born_yet(snapshot.date_of_birth, "snapshot.dateOfBirth", received))
    if found or event is None or crn is None:
        raise Faulty(found)
    return Record(event, crn, snapshot, opened.fetched, tuple(odd))


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


def not_filled(record: Record, field: str) -> Held:
    """Held until a case is attached that tells this field."""
    return Held("pointer_not_filled", (*record.findings, Finding(rules.POINTER_NOT_FILLED, field)), record.lane)
