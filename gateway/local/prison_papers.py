"""What a prison sends: HMPPS domain events as SNS delivers them, the prisoner snapshot beside them, and needs.

Spelled as `contracts/inbound/prison` says. The movements are those of the immediate family, which the gateway settles.
"""

import uuid
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

import orjson

from gateway.local.people import Person

JSON: Final = "application/json"

_SEARCH: Final = "prisoner-offender-search.prisoner"


@dataclass(frozen=True, slots=True)
class Prisoner:
    """A person in a prison. booking: NOMIS's number of this stay; release: the date NOMIS goes by."""

    person: Person
    prison: str
    booking: int
    release: date

    def snapshot(self, *, movement: tuple[str, str], release: date | None = None) -> dict[str, Any]:
        """The prisoner as prisoner search answers. movement: type and reason code of the last one."""
        who = self.person
        return {
            "prisonerNumber": who.noms,
            "pncNumber": who.pnc,
            "croNumber": who.cro,
            "bookingId": f"{self.booking:010}",
            "firstName": who.forenames.upper(),
            "lastName": who.surname.upper(),
            "dateOfBirth": who.born.isoformat(),
            "gender": "Male" if who.sex == "M" else "Female",
            "lastMovementTypeCode": movement[0],
            "lastMovementReasonCode": movement[1],
            "prisonId": self.prison,
            "legalStatus": "SENTENCED",
            "recall": False,
            "releaseDate": (release or self.release).isoformat(),
            "conditionalReleaseDate": (release or self.release).isoformat(),
            "addresses": [
                {
                    "fullAddress": f"{who.street}, {who.town}, {who.postcode}",
                    "postalCode": who.postcode,
                    "startDate": "2024-06-01",
                    "primaryAddress": True,
                    "noFixedAddress": False,
                }
            ],
        }


def received(who: Prisoner, at: datetime, *, reason: str = "NEW_ADMISSION") -> bytes:
    """Into the prison."""
    return _attached(_moved(who, "received", reason, at), who.snapshot(movement=("ADM", "I")), at)


def released(who: Prisoner, at: datetime) -> bytes:
    """Out of it, on licence."""
    return _attached(_moved(who, "released", "RELEASED", at), who.snapshot(movement=("REL", "CR")), at)


def dates_changed(who: Prisoner, at: datetime, release: date) -> bytes:
    """The release dates were calculated anew."""
    event = _event(
        "calculate-release-dates.prisoner.changed", {"prisonerId": who.person.noms, "bookingId": who.booking}, at
    )
    return _attached(event, who.snapshot(movement=("ADM", "I"), release=release), at)


def need_identified(who: Prisoner, reference: str, at: datetime) -> bytes:
    """The drug team found a need."""
    person = who.person
    return orjson.dumps(
        {
            "eventType": "prison-drug-team.need.identified",
            "version": 1,
            "reference": reference,
            "recordVersion": 1,
            "prisonId": who.prison,
            "identifiedAt": at.isoformat(),
            "person": {
                "prisonNumber": person.noms,
                "firstName": person.forenames,
                "lastName": person.surname,
                "dateOfBirth": person.born.isoformat(),
                "gender": "male" if person.sex == "M" else "female",
            },
            "homeAddress": {"lines": [person.street, person.town], "postcode": person.postcode},
            "substances": ["opiates", "crack"],
            "team": "HMP Lincoln drug team",
        }
    )


def _moved(who: Prisoner, way: str, reason: str, at: datetime) -> dict[str, Any]:
    said = {"nomsNumber": who.person.noms, "prisonId": who.prison, "reason": reason}
    return _event(f"{_SEARCH}.{way}", said, at)


def _event(kind: str, said: dict[str, Any], at: datetime) -> dict[str, Any]:
    """A domain event as an SNS notification."""
    message = {
        "eventType": kind,
        "version": 1,
        "occurredAt": at.isoformat(),
        "publishedAt": at.isoformat(),
        "additionalInformation": said,
    }
    return {
        "Type": "Notification",
        "MessageId": str(uuid.uuid4()),
        "TopicArn": "arn:aws:sns:eu-west-2:000000000000:example",
        "Message": orjson.dumps(message).decode(),
        "Timestamp": at.isoformat(),
        "MessageAttributes": {"eventType": {"Type": "String", "Value": kind}},
    }


def _attached(event: dict[str, Any], snapshot: dict[str, Any], fetched: datetime) -> bytes:
    return orjson.dumps({"event": event, "snapshot": snapshot, "fetchedAt": fetched.isoformat()})
