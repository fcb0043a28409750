"""Breach, recall and licence: what the event itself says, once the case has said how careful to be with it."""

from adapters.base import Finding
from adapters.hmpps.envelope import Faulty
from adapters.probation import rules
from adapters.probation.record import Record
from adapters.probation.snapshot import region_of
from schemas.base import Fact, Person
from schemas.supervision import Breached, LicenceActivated, Recalled, Stage


def breached(record: Record, person: Person, stage: Stage) -> Fact:
    """Tell that the enforcement of an order began, or is over."""
    event = Breached(
        occurred=record.event.occurred_at.moment,
        person=person,
        sensitivity=record.sensitivity,
        region=region_of(record),
        stage=stage,
    )
    return Fact(_key(record, "breach", stage), record.lane, event.kind, event)


def recalled(record: Record, person: Person, stage: Stage) -> Fact:
    """Tell that the recall of a person on licence began, or is over."""
    event = Recalled(
        occurred=record.event.occurred_at.moment,
        person=person,
        sensitivity=record.sensitivity,
        region=region_of(record),
        stage=stage,
    )
    return Fact(_key(record, "recall", stage), record.lane, event.kind, event)


def licence_activated(record: Record, person: Person) -> Fact:
    """Tell that a licence came into force. Raises Faulty without its number."""
    licence = record.event.additional_information.licence_id
    if licence is None:
        raise Faulty([Finding(rules.MISSING, "additionalInformation.licenceId")])
    event = LicenceActivated(
        occurred=record.event.occurred_at.moment,
        person=person,
        sensitivity=record.sensitivity,
        region=region_of(record),
        licence=licence,
    )
    return Fact(f"probation:{record.crn}:licence:{licence}:activated", record.lane, event.kind, event)


def _key(record: Record, what: str, stage: Stage) -> str:
    return f"probation:{record.crn}:{what}:{stage.value}:{record.event.occurred_at.at.isoformat()}"
