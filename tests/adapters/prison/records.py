"""Prison records to test with: invented people, one builder for each thing that is sent."""

import json
from datetime import UTC, datetime
from typing import Any

from adapters.base import Message, Outcome
from adapters.prison import build

RECEIVED_AT = datetime(2026, 1, 1, tzinfo=UTC)
NUMBER = "A4827KX"
DELAYED = "prison-offender-events.prisoner."
IMMEDIATE = "prisoner-offender-search.prisoner."

_delayed = build({})
_immediate = build({"family": "immediate"})


def event(event_type: str, occurred: str = "2025-03-04T14:10:21+00:00", **said: Any) -> dict[str, Any]:
    """A bare domain event; `said` is its additionalInformation."""
    return {
        "eventType": event_type,
        "version": 1,
        "occurredAt": occurred,
        "additionalInformation": {"nomsNumber": NUMBER} | said,
        "personReference": {"identifiers": [{"type": "NOMS", "value": NUMBER}]},
    }


def received(reason: str = "ADMISSION", code: str | None = None, family: str = DELAYED, **said: Any) -> dict[str, Any]:
    """A person came in."""
    given = {} if code is None else {"nomisMovementReasonCode": code}
    return event(f"{family}received", reason=reason, prisonId="LII", **given, **said)


def released(reason: str = "RELEASED", code: str | None = None, family: str = DELAYED, **said: Any) -> dict[str, Any]:
    """A person went out."""
    given = {} if code is None else {"nomisMovementReasonCode": code}
    return event(f"{family}released", reason=reason, prisonId="LII", **given, **said)


def dates_changed(**said: Any) -> dict[str, Any]:
    """Release dates were calculated again."""
    return event("calculate-release-dates.prisoner.changed", occurred="2025-06-03T10:00:00+01:00", **said)


def notification(body: dict[str, Any], attribute: str | None = None) -> dict[str, Any]:
    """The event as SNS delivers it."""
    attributes = {} if attribute is None else {"eventType": {"Type": "String", "Value": attribute}}
    return {"Type": "Notification", "Message": json.dumps(body), "MessageAttributes": attributes}


def snapshot(**fields: Any) -> dict[str, Any]:
    """A prisoner as prisoner search gives them."""
    return {
        "prisonerNumber": NUMBER,
        "bookingId": "0001730021",
        "firstName": "CORIN",
        "middleNames": "ELLIS",
        "lastName": "ASHDALE",
        "dateOfBirth": "1988-02-17",
        "gender": "Male",
        "lastMovementTypeCode": "ADM",
        "lastMovementReasonCode": "I",
        "prisonId": "LII",
        "legalStatus": "SENTENCED",
        "releaseDate": "2025-09-02",
        "conditionalReleaseDate": "2025-09-02",
    } | fields


def filled(body: dict[str, Any], fetched: str | None = None, **fields: Any) -> dict[str, Any]:
    """The event with a snapshot attached."""
    when = {} if fetched is None else {"fetchedAt": fetched}
    return {"event": body, "snapshot": snapshot(**fields)} | when


def need(**fields: Any) -> dict[str, Any]:
    """A drug team's referral."""
    return {
        "eventType": "prison-drug-team.need.identified",
        "version": 1,
        "reference": "LII-DT-000381",
        "recordVersion": 1,
        "prisonId": "LII",
        "identifiedAt": "2025-07-06",
        "person": {
            "prisonNumber": NUMBER,
            "firstName": "Corin",
            "lastName": "Ashdale",
            "dateOfBirth": "1988-02-17",
        },
        "homeAddress": {"lines": ["14 Example Terrace"], "postcode": "wn11xx"},
        "substances": ["opiates"],
    } | fields


def message(record: Any, **attributes: str) -> Message:
    """The record as it reaches the adapter."""
    body = record if isinstance(record, bytes) else json.dumps(record).encode()
    return Message(body, "application/json", RECEIVED_AT, attributes)


def read(record: Any, **attributes: str) -> Outcome:
    """What becomes of a record where the delayed family is taken."""
    return _delayed.read(message(record, **attributes))


def read_immediate(record: Any) -> Outcome:
    """What becomes of a record where the immediate family is taken."""
    return _immediate.read(message(record))
