"""`received` and `released` as what happened to the person.

One movement is one fact: prison number, direction, time. It stays the same fact whether a snapshot came with it or
not, and whatever that snapshot adds is a correction of it.
"""

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from adapters.base import Accepted, CodeTable, Finding, Held, Ignored
from adapters.hmpps.envelope import Faulty
from adapters.prison import codes, rules
from adapters.prison.codes import Arrival, Departure
from adapters.prison.record import Record
from adapters.prison.snapshot import dates_of, legal_status_of
from adapters.prison.wire import MovementEvent, Snapshot
from schemas.base import Fact, Sensitivity
from schemas.imprisonment import (
    Absence,
    AtLarge,
    Died,
    ImprisonmentEvent,
    Received,
    ReceptionReason,
    Released,
    ReleaseReason,
    Returned,
    TemporarilyOut,
    Transferred,
)


class Family(enum.StrEnum):
    """Which of the two families of movements an installation takes: HMPPS publishes every movement in both."""

    DELAYED = "delayed"
    """prison-offender-events: 45 minutes late, and silent about what was reversed meanwhile."""
    IMMEDIATE = "immediate"
    """prisoner-offender-search: at once, mistakes included; we settle them ourselves."""


class Way(enum.StrEnum):
    """Which way a person went."""

    IN = "received"
    OUT = "released"


@dataclass(frozen=True, slots=True)
class Reasons:
    """The movement reason codes of NOMIS this installation knows."""

    admission: CodeTable[ReceptionReason]
    release: CodeTable[ReleaseReason]


ABSENCES: Final[Mapping[Departure, Absence]] = {
    Departure.COURT: Absence.COURT,
    Departure.ABSENCE: Absence.TEMPORARY_ABSENCE,
    Departure.HOSPITAL: Absence.HOSPITAL,
    Departure.TRANSFER: Absence.TRANSFER,
}


def translate(
    name: str, record: Record[MovementEvent], family: Family, way: Way, reasons: Reasons
) -> Accepted | Held | Ignored:
    """Tell a movement. Raises UnknownCode, and Faulty for a reception where nobody can be held.

    A release for a merge is ignored: `merged` tells it. A release whose code nobody gives cannot be told from a death
    or a merge, so it waits for the snapshot.
    """
    said = record.event.additional_information
    found = list(record.findings)
    code = said.nomis_movement_reason_code or _snapshot_code(record, way, found)
    if way is Way.OUT and code == codes.MERGED:
        return Ignored(f"{name}:{codes.MERGED}")
    if way is Way.OUT and code is None and said.reason == "RELEASED":
        finding = Finding(rules.POINTER_NOT_FILLED, "additionalInformation.nomisMovementReasonCode")
        return Held("pointer_not_filled", (*found, finding), record.lane)
    if way is Way.IN and code is None and said.reason in codes.TOLD_BY_CODE:
        found.append(Finding(rules.MOVEMENT_CODE_MISSING, "additionalInformation.nomisMovementReasonCode"))
    prison = _prison(said.prison_id, way, found)
    person, oddities = record.person()
    found.extend(oddities)
    told: dict[str, Any] = {
        "occurred": record.event.occurred_at.moment,
        "person": person,
        "prison": prison,
        "sensitivity": frozenset({Sensitivity.OFFENCE}),
    }
    event: ImprisonmentEvent
    if way is Way.OUT:
        event = _left(said.reason, code, told, record.snapshot, reasons)
    else:
        event = _arrived(said.reason, code, told, record.snapshot, reasons)
    found.extend(_contradicted(record, event))
    immediate = family is Family.IMMEDIATE
    fact = Fact(
        key=f"prison:{record.number}:{way.value}:{event.occurred.at.isoformat()}",
        lane=record.lane,
        kind=event.kind,
        event=event,
        settles=immediate and not isinstance(event, Died),
        reverses=_undone(said.reason, event) if immediate else None,
    )
    return Accepted((fact,), tuple(found))


def _snapshot_code(record: Record[MovementEvent], way: Way, found: list[Finding]) -> str | None:
    """The movement's reason code from the snapshot, if the snapshot still speaks of this movement.

    A snapshot may be fetched after the person moved on; then its code is another movement's. Where the event's own
    reason says all there is to say, the snapshot is not asked.
    """
    snapshot = record.snapshot
    if snapshot is None or record.event.additional_information.reason not in codes.TOLD_BY_CODE:
        return None
    if snapshot.last_movement_type_code != ("ADM" if way is Way.IN else "REL"):
        found.append(Finding(rules.SNAPSHOT_OF_ANOTHER_MOVEMENT, "snapshot.lastMovementTypeCode"))
        return None
    return snapshot.last_movement_reason_code


def _prison(agency: str, way: Way, found: list[Finding]) -> str | None:
    if agency not in codes.PSEUDO_AGENCIES:
        return agency
    if way is Way.IN:
        raise Faulty([Finding(rules.NOT_A_PRISON, "additionalInformation.prisonId")])
    found.append(Finding(rules.PRISON_NOT_NAMED, "additionalInformation.prisonId"))
    return None


def _arrived(
    reason: str, code: str | None, told: dict[str, Any], snapshot: Snapshot | None, reasons: Reasons
) -> ImprisonmentEvent:
    if snapshot is not None:
        told = told | {"dates": dates_of(snapshot), "legal_status": legal_status_of(snapshot)}
    arrival = codes.ARRIVALS[reason]
    if arrival in (Arrival.ADMITTED, Arrival.TRANSFERRED):
        arrival = codes.NOT_ADMISSIONS.get(code or "", arrival)
    match arrival:
        case Arrival.ADMITTED:
            return Received(reason=ReceptionReason.ADMISSION if code is None else reasons.admission[code], **told)
        case Arrival.READMITTED:
            # By way of court or from another prison it is a readmission all the same.
            if code is None or code in codes.NOT_ADMISSIONS:
                return Received(reason=ReceptionReason.READMISSION, **told)
            known = reasons.admission[code]
            return Received(reason=ReceptionReason.READMISSION if known is ReceptionReason.ADMISSION else known, **told)
        case Arrival.TRANSFERRED:
            return Transferred(**told)
        case Arrival.BACK_FROM_COURT:
            return Returned(absence=Absence.COURT, **told)
        case Arrival.BACK_FROM_ABSENCE:
            return Returned(absence=Absence.TEMPORARY_ABSENCE, **told)


def _left(
    reason: str, code: str | None, told: dict[str, Any], snapshot: Snapshot | None, reasons: Reasons
) -> ImprisonmentEvent:
    if code == codes.DIED:
        return Died(**told)
    departure = codes.DEPARTURES[reason]
    if departure is Departure.LET_GO and code in codes.HOSPITAL:
        departure = Departure.HOSPITAL
    if departure is not Departure.LET_GO:
        if departure is Departure.HOSPITAL:
            told = told | {"sensitivity": frozenset({Sensitivity.OFFENCE, Sensitivity.HEALTH})}
        return TemporarilyOut(absence=ABSENCES[departure], **told)
    if code in codes.AT_LARGE:
        return AtLarge(**told)
    dates = dates_of(snapshot) if snapshot is not None else None
    return Released(reason=reasons.release[code or ""], dates=dates, **told)


def _contradicted(record: Record[MovementEvent], event: ImprisonmentEvent) -> list[Finding]:
    if record.snapshot is None or record.snapshot.recall is not False:
        return []
    recalled = isinstance(event, Received) and event.reason is ReceptionReason.RECALL
    return [Finding(rules.RECALL_CONTRADICTED, "snapshot.recall")] if recalled else []


def _undone(reason: str, event: ImprisonmentEvent) -> str | None:
    """The kind a movement undoes; only where we read it as what its reason says (a death undoes nothing)."""
    return codes.UNDOES.get(reason) if isinstance(event, Received | Returned | Released) else None
