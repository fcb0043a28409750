"""Two prison records found to be one person."""

from adapters.base import Accepted, Finding
from adapters.hmpps.envelope import Faulty
from adapters.prison import rules
from adapters.prison.record import Record
from adapters.prison.wire import MergeEvent
from schemas.base import Fact, Sensitivity
from schemas.identifiers import Scheme, parse
from schemas.imprisonment import Merged

_REMOVED = "additionalInformation.removedNomsNumber"


def translate(record: Record[MergeEvent]) -> Accepted:
    """Tell which number is gone and which survives. Raises Faulty; never settles."""
    removed = parse(Scheme.NOMS, record.event.additional_information.removed_noms_number).identifier
    if removed.value is None:
        raise Faulty([Finding(rules.PRISON_NUMBER_UNREADABLE, _REMOVED)])
    if removed.value == record.number:
        raise Faulty([Finding(rules.MERGED_WITH_ITSELF, _REMOVED)])
    person, oddities = record.person()
    event = Merged(
        occurred=record.event.occurred_at.moment,
        person=person,
        sensitivity=frozenset({Sensitivity.OFFENCE}),
        removed=removed,
    )
    key = f"prison:{record.number}:merged:{removed.value}"
    return Accepted((Fact(key, record.lane, event.kind, event),), (*record.findings, *oddities))
