"""Two cases found to be one person, and one case found to be two. The event says all; it needs no case beside it."""

from adapters.base import Accepted, Finding
from adapters.hmpps.envelope import Faulty
from adapters.probation import rules
from adapters.probation.record import Record
from adapters.probation.snapshot import person_of
from schemas.base import Fact
from schemas.identifiers import Identifier, Scheme, parse
from schemas.supervision import Merged, Unmerged


def merged(record: Record) -> Accepted:
    """Tell which CRN is gone and which survives. Raises Faulty."""
    said = record.event.additional_information
    removed = _pair(record, "targetCRN", said.target_crn, "sourceCRN", said.source_crn)
    found = list(record.findings)
    event = Merged(
        occurred=record.event.occurred_at.moment,
        person=person_of(record, found),
        sensitivity=record.sensitivity,
        removed=removed,
    )
    key = f"probation:{record.crn}:merged:{removed.value}"
    return Accepted((Fact(key, record.lane, event.kind, event),), tuple(found))


def unmerged(record: Record) -> Accepted:
    """Tell which CRN is a case of its own again. Raises Faulty."""
    said = record.event.additional_information
    reactivated = _pair(record, "unmergedCRN", said.unmerged_crn, "reactivatedCRN", said.reactivated_crn)
    found = list(record.findings)
    event = Unmerged(
        occurred=record.event.occurred_at.moment,
        person=person_of(record, found),
        sensitivity=record.sensitivity,
        reactivated=reactivated,
    )
    key = f"probation:{record.crn}:unmerged:{reactivated.value}"
    return Accepted((Fact(key, record.lane, event.kind, event),), tuple(found))


def _pair(record: Record, own_field: str, own: str | None, other_field: str, other: str | None) -> Identifier:
    """The other CRN. Raises Faulty where one is missing, unreadable, or both are the same."""
    found = []
    for field, crn in ((own_field, own), (other_field, other)):
        if crn is None:
            found.append(Finding(rules.MISSING, f"additionalInformation.{field}"))
        elif parse(Scheme.CRN, crn).identifier.value is None:
            found.append(Finding(rules.CRN_UNREADABLE, f"additionalInformation.{field}"))
    if found or own is None or other is None:
        raise Faulty(found)
    if parse(Scheme.CRN, own).identifier.value != record.crn:
        raise Faulty([Finding(rules.CRNS_DIFFER, f"additionalInformation.{own_field}")])
    removed = parse(Scheme.CRN, other).identifier
    if removed.value == record.crn:
        raise Faulty([Finding(rules.MERGED_WITH_ITSELF, f"additionalInformation.{other_field}")])
    return removed
