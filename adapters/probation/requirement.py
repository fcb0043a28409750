"""Requirements of a sentence. A drug rehabilitation or alcohol treatment requirement is a court's referral."""

from adapters.base import Finding, Held
from adapters.hmpps.envelope import Faulty
from adapters.probation import rules
from adapters.probation.codes import Codes
from adapters.probation.record import Record, not_filled
from adapters.probation.snapshot import region_of
from adapters.probation.wire import Requirement as Told
from schemas.base import Fact, Person, Sensitivity
from schemas.supervision import TREATMENT, Requirement, RequirementEnded, RequirementStarted

STARTED = "supervision.requirement-started"
ENDED = "supervision.requirement-ended"


def started(record: Record, person: Person, known: Codes) -> Fact | Held:
    """Tell that a requirement began. Raises UnknownCode, and Faulty without the requirement's number."""
    number = _number(record)
    told = _told(record, number)
    if told is None or told.category.code is None:
        return not_filled(record, "snapshot.requirements")
    requirement = known.requirements[told.category.code]
    event = RequirementStarted(
        occurred=record.on(told.began),
        person=person,
        sensitivity=_sensitivity(record, requirement),
        region=region_of(record),
        reference=number,
        requirement=requirement,
        length=told.length,
        length_unit=told.length_unit,
        expected_end=told.expected_end_date,
    )
    return Fact(_key(record, number, "started"), record.lane, event.kind, event, version=record.version)


def ended(record: Record, person: Person, known: Codes) -> Fact | Held:
    """Tell that a requirement ended. Raises as `started` does."""
    number = _number(record)
    told = _told(record, number)
    if told is None or told.category.code is None or told.termination_date is None:
        return not_filled(record, "snapshot.requirements")
    requirement = known.requirements[told.category.code]
    event = RequirementEnded(
        occurred=record.on(told.termination_date),
        person=person,
        sensitivity=_sensitivity(record, requirement),
        region=region_of(record),
        reference=number,
        requirement=requirement,
    )
    return Fact(_key(record, number, "ended"), record.lane, event.kind, event, version=record.version)


def taken_back(record: Record, kind: str, reason: str) -> Fact:
    """Take back that a requirement began (it was deleted), or that it ended (it goes on). Raises Faulty."""
    number = _number(record)
    what = kind.rpartition("-")[2]
    return Fact(_key(record, number, what), record.lane, kind, None, version=record.version, withdrawn=reason)


def _number(record: Record) -> str:
    number = record.event.additional_information.requirement_id
    if number is None:
        raise Faulty([Finding(rules.MISSING, "additionalInformation.requirementId")])
    return number


def _told(record: Record, number: str) -> Told | None:
    """The requirement as the case has it, beside the convictions or inside one."""
    if record.snapshot is None:
        return None
    inside = (one for conviction in record.snapshot.convictions for one in conviction.requirements)
    return next((one for one in (*record.snapshot.requirements, *inside) if one.requirement_id == number), None)


def _sensitivity(record: Record, requirement: Requirement) -> frozenset[Sensitivity]:
    """That somebody is being treated is about their health."""
    return record.sensitivity | {Sensitivity.HEALTH} if requirement in TREATMENT else record.sensitivity


def _key(record: Record, number: str, what: str) -> str:
    return f"probation:{record.crn}:requirement:{number}:{what}"
