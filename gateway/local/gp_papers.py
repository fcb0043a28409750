"""What general practice sends: referrals as message bundles of the NHS standard for them (BaRS), and registrations.

Spelled as `contracts/inbound/gp` says: FHIR R4 in JSON, and EDIFACT (FHSREG) as a registration system writes it.
"""

import base64
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

import orjson

from gateway.local.people import Person

FHIR: Final = "application/fhir+json"
EDIFACT: Final = "application/edifact"
SERVICE: Final = "2000090417"
"""The id of the LASARS in the directory of services; one for all areas, because the patient's home decides which."""

_FHIR_UK: Final = "https://fhir.nhs.uk"
_DOS: Final = f"{_FHIR_UK}/Id/dos-service-id"
_ODS: Final = f"{_FHIR_UK}/Id/ods-organization-code"
_OPIOID_DEPENDENCE: Final = "75544000"
"""SNOMED CT."""
_VERIFICATION: Final = "https://fhir.hl7.org.uk/CodeSystem/UKCore-NHSNumberVerificationStatus"
_LONDON: Final = ZoneInfo("Europe/London")
_SEX: Final = {"M": ("male", "1"), "F": ("female", "2")}
"""As FHIR and as registration systems write it."""


@dataclass(frozen=True, slots=True)
class Referral:
    """One referral. id: its own, a UUID. practice: ODS code. authored: when the doctor wrote it."""

    id: str
    patient: Person
    practice: str
    authored: datetime

    def sent(self, at: datetime) -> bytes:
        """The letter itself."""
        request = {
            "authoredOn": self.authored.isoformat(),
            "priority": "routine",
            "reasonCode": [{"coding": [{"system": "http://snomed.info/sct", "code": _OPIOID_DEPENDENCE}]}],
        }
        return self._bundle("new", "active", request, at)

    def cancelled(self, at: datetime) -> bytes:
        """Its cancellation."""
        return self._bundle("update", "revoked", {}, at)

    def _bundle(self, reason: str, status: str, request: Mapping[str, Any], at: datetime) -> bytes:
        told = at.isoformat()
        refers = {
            "resourceType": "ServiceRequest",
            "id": self.id,
            "meta": {"lastUpdated": told},
            "status": status,
            "intent": "plan",
            "category": [_coded("message-category-servicerequest", "referral")],
            "subject": {"reference": _url("patient")},
            **request,
        }
        header = {
            "resourceType": "MessageHeader",
            "eventCoding": _coded("message-events-bars", "servicerequest-request")["coding"][0],
            "destination": [{"endpoint": f"{_DOS}|{SERVICE}"}],
            "sender": {"reference": _url("practice")},
            "source": {"endpoint": f"{_DOS}|2000070017"},
            "reason": _coded("message-reason-bars", reason),
            "focus": [{"reference": _url("request")}],
        }
        parts = {"header": header, "request": refers, "patient": _patient(self.patient), "practice": _practice(self)}
        bundle = {
            "resourceType": "Bundle",
            "id": str(uuid.uuid4()),
            "meta": {"lastUpdated": told},
            "type": "message",
            "timestamp": told,
            "entry": [{"fullUrl": _url(name), "resource": resource} for name, resource in parts.items()],
        }
        return orjson.dumps(bundle)


def message_headers() -> dict[str, str]:
    """The headers every BaRS message has, with an id of its own."""
    target = base64.b64encode(orjson.dumps({"system": _DOS, "value": SERVICE})).decode()
    return {
        "nhsd-target-identifier": target,
        "x-request-id": str(uuid.uuid4()),
        "x-correlation-id": str(uuid.uuid4()),
    }


def reading_headers(practice: str) -> dict[str, str]:
    """The header with which a practice asks how its referral stands. practice: ODS code."""
    who = {"resourceType": "Organization", "identifier": [{"system": _ODS, "value": practice}]}
    return {"nhsd-end-user-organisation": base64.b64encode(orjson.dumps(who)).decode()}


def registration_amended(patient: Person, number: int, at: datetime) -> bytes:
    """An interchange with one amendment (F1) of a patient's registration: where they live from now on.

    number: of the interchange and of its transaction, 1 to 9,999,999. Raises ValueError without an NHS number.
    """
    if patient.nhs is None:
        raise ValueError("a registration names an NHS number")
    local = at.astimezone(_LONDON)
    reference = f"{number:08}"
    message = [
        f"UNH+{reference}+FHSREG:0:1:FH:FHS001",
        "BGM+++507",
        "NAD+FHS+XX1:954",
        f"DTM+137:{local:%Y%m%d%H%M}:203",
        "RFF+950:F1",
        "S01+1",
        f"RFF+TN:{number}",
        "NAD+GP+4700123,281:900",
        "S02+2",
        f"PNA+PAT+{patient.nhs}:OPI+++SU:{patient.surname}+FO:{patient.forenames}".upper(),
        f"DTM+329:{patient.born:%Y%m%d}:102",
        f"PDI+{_SEX[patient.sex][1]}",
        f"NAD+PAT++:{patient.street}::{patient.town}:+++++{patient.postcode}".upper(),
    ]
    segments = (
        f"UNB+UNOA:2+XX11+TES5+{local:%y%m%d}:{local:%H%M}+{reference}",
        *message,
        f"UNT+{len(message) + 1}+{reference}",
        f"UNZ+1+{reference}",
    )
    return "".join(f"{segment}'\r\n" for segment in segments).encode("ascii")


def _patient(who: Person) -> dict[str, Any]:
    home = {"use": "home", "line": [who.street], "city": who.town, "postalCode": who.postcode}
    return {
        "resourceType": "Patient",
        "identifier": [_traced(who.nhs)] if who.nhs else [],
        "name": [{"use": "official", "family": who.surname, "given": who.forenames.split()}],
        "gender": _SEX[who.sex][0],
        "birthDate": who.born.isoformat(),
        "address": [home] if who.postcode else [],
    }


def _traced(nhs: str) -> dict[str, Any]:
    """An NHS number that was verified against the national register."""
    extension = {
        "url": "https://fhir.hl7.org.uk/StructureDefinition/Extension-UKCore-NHSNumberVerificationStatus",
        "valueCodeableConcept": {"coding": [{"system": _VERIFICATION, "code": "number-present-and-verified"}]},
    }
    return {"extension": [extension], "system": f"{_FHIR_UK}/Id/nhs-number", "value": nhs}


def _practice(referral: Referral) -> dict[str, Any]:
    identifier = {"system": _ODS, "value": referral.practice}
    return {"resourceType": "Organization", "identifier": [identifier], "name": "Sample Surgery"}


def _coded(system: str, code: str) -> dict[str, Any]:
    return {"coding": [{"system": f"{_FHIR_UK}/CodeSystem/{system}", "code": code}]}


def _url(name: str) -> str:
    return f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, name)}"
