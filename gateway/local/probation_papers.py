"""What probation sends: HMPPS domain events that only point, and the case they point at, as the case API answers.

Spelled as `contracts/inbound/probation` says.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

import orjson

from gateway.local.people import Person

JSON: Final = "application/json"

REQUIREMENT: Final = "probation-case.requirement.created"
BREACH: Final = "enforcement.breach.raised"
LICENCE: Final = "create-and-vary-a-licence.licence.activated"
RECALL: Final = "enforcement.recall.raised"

_ORDER: Final = 1
"""Delius's number of the sentence among those of its case."""


@dataclass(frozen=True, slots=True)
class Case:
    """A person under supervision. order: a community order with a drug rehabilitation requirement of that number.

    in_prison: the case knows the person's prison number, because there they were.
    """

    person: Person
    since: date
    order: int | None = None
    in_prison: bool = False

    def event(self, kind: str, at: datetime) -> bytes:
        """A domain event about this case, which says that something happened and not what."""
        said: dict[str, Any] = {
            REQUIREMENT: {"requirementId": str(self.order), "eventNumber": str(_ORDER)},
            LICENCE: {"licenceId": str(self.person.number)},
        }.get(kind, {})
        return orjson.dumps(
            {
                "eventType": kind,
                "version": 1,
                "occurredAt": at.isoformat(),
                "additionalInformation": said,
                "personReference": {"identifiers": [{"type": "CRN", "value": self.person.crn}]},
            }
        )

    def answers(self) -> Mapping[str, Any]:
        """What the case API answers about it, by path."""
        at = f"/offenders/crn/{self.person.crn}"
        told: dict[str, Any] = {f"{at}/all": self._all(), f"{at}/convictions": []}
        if self.order is not None:
            sentence = {"description": "Community Order", "startDate": self.since.isoformat()}
            conviction = {"convictionId": self.order + 1, "index": str(_ORDER), "active": True, "sentence": sentence}
            told[f"{at}/convictions"] = [conviction]
            told[f"{at}/convictions/{self.order + 1}/requirements"] = {"requirements": [self._requirement()]}
        return told

    def _all(self) -> dict[str, Any]:
        who = self.person
        numbers = {"crn": who.crn, "pncNumber": who.pnc} | ({"nomsNumber": who.noms} if self.in_prison else {})
        home = {
            "from": (self.since - timedelta(days=400)).isoformat(),
            "noFixedAbode": False,
            "streetName": who.street,
            "town": who.town,
            "postcode": who.postcode,
            "status": {"code": "M", "description": "Main"},
            "type": {"code": "A01C", "description": "Rental accommodation"},
        }
        area, team = {"code": "N51", "description": "Sample region"}, {"description": "Sample team"}
        manager = {"active": True, "softDeleted": False, "probationArea": area, "team": team}
        return {
            "otherIds": numbers,
            "firstName": who.forenames,
            "surname": who.surname,
            "dateOfBirth": who.born.isoformat(),
            "gender": "Male" if who.sex == "M" else "Female",
            "contactDetails": {"addresses": [home]},
            "offenderManagers": [manager],
            "currentRestriction": False,
            "currentExclusion": False,
        }

    def _requirement(self) -> dict[str, Any]:
        return {
            "requirementId": self.order,
            "startDate": self.since.isoformat(),
            "expectedEndDate": (self.since + timedelta(days=180)).isoformat(),
            "active": True,
            "requirementTypeMainCategory": {"code": "DRR", "description": "Drug Rehabilitation"},
            "length": 6,
            "lengthUnit": "Months",
        }
