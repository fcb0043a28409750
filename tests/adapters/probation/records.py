"""Probation records in the shapes they really come in, about an invented person, and what becomes of them."""

import json
from datetime import UTC, datetime
from typing import Any

from adapters.base import Accepted, Held, Message, Outcome, Refused
from adapters.probation import build
from schemas.base import Fact

CRN = "X482713"
OTHER_CRN = "X482699"
RECEIVED_AT = datetime(2026, 1, 15, 12, tzinfo=UTC)
DELIUS = "probation-case."

_shipped = build({})


def event(name: str, occurred: str = "2025-03-04T14:10:00+00:00", crn: str = CRN, **said: Any) -> dict[str, Any]:
    """A domain event of any kind."""
    return {
        "eventType": name,
        "version": 1,
        "occurredAt": occurred,
        "additionalInformation": said,
        "personReference": {"identifiers": [{"type": "CRN", "value": crn}]},
    }


def address(**fields: Any) -> dict[str, Any]:
    """An address as the case API gives it: main and current, if nothing else is said."""
    return {"from": "2024-02-01", "postcode": "SK1 3XE", "status": {"code": "M"}} | fields


def conviction(index: str = "2", active: bool = True, **sentence: Any) -> dict[str, Any]:
    """A conviction with its sentence."""
    told = {"description": "Community Order", "startDate": "2025-01-12"} | sentence
    return {"convictionId": 2500298817, "index": index, "active": active, "sentence": told}


def requirement(code: str = "DRR", **fields: Any) -> dict[str, Any]:
    """A requirement of a sentence."""
    return {
        "requirementId": 2500412207,
        "startDate": "2025-01-12",
        "requirementTypeMainCategory": {"code": code},
    } | fields


def case(*addresses: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """A case as the case API gives it."""
    return {
        "otherIds": {"crn": CRN},
        "firstName": "Maren",
        "middleNames": ["Odile"],
        "surname": "Thistlewood",
        "dateOfBirth": "1990-11-23",
        "gender": "Female",
        "contactDetails": {"addresses": list(addresses) or [address()]},
        "offenderManagers": [
            {"active": True, "probationArea": {"code": "N51"}, "team": {"description": "Stockport team 1"}}
        ],
        "currentRestriction": False,
        "currentExclusion": False,
    } | fields


def filled(told: dict[str, Any], snapshot: dict[str, Any], fetched: str | None = None) -> dict[str, Any]:
    """The event with its case attached."""
    return {"event": told, "snapshot": snapshot} | ({} if fetched is None else {"fetchedAt": fetched})


def notification(body: dict[str, Any], attribute: str | None = None) -> dict[str, Any]:
    """The event as SNS delivers it."""
    attributes = {} if attribute is None else {"eventType": {"Type": "String", "Value": attribute}}
    return {"Type": "Notification", "Message": json.dumps(body), "MessageAttributes": attributes}


def message(record: Any) -> Message:
    """The record as it reaches the adapter."""
    body = record if isinstance(record, bytes) else json.dumps(record).encode()
    return Message(body, "application/json", RECEIVED_AT)


def read(record: Any, **options: str) -> Outcome:
    """What becomes of a record, under the options of an installation."""
    adapter = build({name.replace("__", "."): value for name, value in options.items()}) if options else _shipped
    return adapter.read(message(record))


def facts(outcome: Outcome) -> dict[str, Fact]:
    """What an accepted record tells, by kind."""
    assert isinstance(outcome, Accepted), outcome
    return {fact.kind.partition(".")[2]: fact for fact in outcome.facts}


def warned(outcome: Outcome) -> set[tuple[str, str]]:
    """The rules an accepted record broke, and where."""
    assert isinstance(outcome, Accepted), outcome
    return {(finding.rule.id, finding.field) for finding in outcome.findings}


def held(outcome: Outcome) -> tuple[str, set[str]]:
    """Why a record is held: reason and rules."""
    assert isinstance(outcome, Held), outcome
    assert outcome.lane == f"CRN:{CRN}"
    return outcome.reason, {finding.rule.id for finding in outcome.findings}


def refused(outcome: Outcome) -> set[tuple[str, str]]:
    """The rules a refused record broke, and where."""
    assert isinstance(outcome, Refused), outcome
    return {(finding.rule.id, finding.field) for finding in outcome.findings}
