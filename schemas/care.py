"""What health care and people themselves tell: canonical events of the subject `care`.

A referral says that a person needs treatment for drug dependence and opens a case. A registration says which practice
a person belongs to and where they live; it only informs, and is the best the health side has of a move.
"""

import enum
from typing import Annotated, ClassVar, Literal

from pydantic import ConfigDict, StringConstraints

from schemas.base import Event, Model, Standing
from schemas.imprisonment import Substance

OdsCode = Annotated[str, StringConstraints(pattern=r"^[A-Z0-9]{3,12}$")]
"""A code of the Organisation Data Service ("B86041" is a practice)."""


class Organisation(Model):
    """An organisation of the health service, by its code, its name or both."""

    ods: OdsCode | None = None
    name: str | None = None


class Urgency(enum.StrEnum):
    """How soon a referral is to be looked at: FHIR's request priority, which HL7 v2 (table 0280) says in fewer."""

    ROUTINE = "routine"
    URGENT = "urgent"
    ASAP = "asap"
    STAT = "stat"


ReasonCode = Annotated[str, StringConstraints(pattern=r"^(snomed|icd-10|read-v2|ctv3):[A-Za-z0-9.]{1,18}$")]
"""Why a person is referred: a terminology and its code ("snomed:75544000"). What it means is the terminology's."""


class Referred(Event):
    """A clinician referred a person for drug treatment: it opens a case.

    `reference` is the referral's own id, by which it is corrected and taken back. `service` is the service it was sent
    to, by its number in the directory of services. `practice` is where the person is registered.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "kind": "care.referred",
                    "occurred": {"at": "2026-01-12T10:20:00Z"},
                    "person": {
                        "identifiers": [{"scheme": "nhs", "raw": "9990548609", "value": "9990548609"}],
                        "name": {"forenames": "Tamsin", "surname": "Ellerby"},
                        "date_of_birth": "1991-06-23",
                        "sex": "female",
                        "addresses": [{"kind": "declared", "postcode": "SK4 1BS"}],
                    },
                    "sensitivity": ["health"],
                    "reference": "5f0c1f52-7d5e-4d0e-9a2b-2f1f6d2b8a11",
                    "service": "2000081234",
                    "urgency": "routine",
                    "reasons": ["snomed:75544000"],
                    "requester": {"ods": "P88026", "name": "Heaton Moor Surgery"},
                    "practice": {"ods": "P88026"},
                }
            ]
        }
    )

    standing: ClassVar[Standing] = Standing.REFERRAL

    kind: Literal["care.referred"] = "care.referred"
    reference: str
    service: str | None = None
    urgency: Urgency | None = None
    reasons: tuple[ReasonCode, ...] = ()
    requester: Organisation | None = None
    practice: Organisation | None = None


class Registration(enum.StrEnum):
    """What a registration change tells."""

    APPROVED = "approved"
    """The practice's registration of a person was accepted: they belong there now."""
    AMENDED = "amended"
    """What is registered of a person was changed: an address, a name, a practice."""


class RegistrationChanged(Event):
    """Where a person is registered, or what is registered of them, changed."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "kind": "care.registration-changed",
                    "occurred": {"at": "2026-01-14T00:00:00Z", "precision": "day", "zone_assumed": True},
                    "person": {
                        "identifiers": [{"scheme": "nhs", "raw": "9990548609", "value": "9990548609"}],
                        "name": {"forenames": "Tamsin", "surname": "Ellerby"},
                        "date_of_birth": "1991-06-23",
                        "addresses": [{"kind": "declared", "postcode": "WN1 1XL", "start": "2026-01-14"}],
                    },
                    "sensitivity": ["health"],
                    "registration": "amended",
                    "practice": {"ods": "P92019"},
                }
            ]
        }
    )

    standing: ClassVar[Standing] = Standing.INFORMING

    kind: Literal["care.registration-changed"] = "care.registration-changed"
    registration: Registration
    practice: Organisation | None = None


class EndReason(enum.StrEnum):
    """Why a person's registration with a practice ended."""

    DIED = "died"
    MOVED = "moved"
    REGISTERED_ELSEWHERE = "registered_elsewhere"
    LEFT_COUNTRY = "left_country"
    AT_PERSONS_REQUEST = "at_persons_request"
    AT_PRACTICES_REQUEST = "at_practices_request"
    CANNOT_BE_FOUND = "cannot_be_found"
    OTHER = "other"
    """A reason the source names and we do not tell apart, never an unknown one."""


class RegistrationEnded(Event):
    """A person was taken off a practice's list (a deduction)."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "kind": "care.registration-ended",
                    "occurred": {"at": "2026-02-02T00:00:00Z", "precision": "day", "zone_assumed": True},
                    "person": {"identifiers": [{"scheme": "nhs", "raw": "9990548609", "value": "9990548609"}]},
                    "sensitivity": ["health"],
                    "reason": "registered_elsewhere",
                    "practice": {"ods": "P88026"},
                }
            ]
        }
    )

    standing: ClassVar[Standing] = Standing.INFORMING

    kind: Literal["care.registration-ended"] = "care.registration-ended"
    reason: EndReason
    practice: Organisation | None = None


class Contact(Model):
    """How a person asked to be answered."""

    phone: str | None = None
    email: str | None = None


class SelfReferred(Event):
    """A person asked for help themselves, at any LASARS: it opens a case, wherever home turns out to be.

    `taken_at` is the area whose LASARS took it and hears that it arrived. `stated_area` is where the person says they
    live, in their own choice of the programme's areas; it is no address and decides nothing by itself.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "kind": "care.self-referred",
                    "occurred": {"at": "2026-01-19T11:05:00Z"},
                    "person": {
                        "name": {"forenames": "Idris", "surname": "Penhale"},
                        "date_of_birth": "1984-11-30",
                        "addresses": [{"kind": "declared", "postcode": "OX4 1AA"}],
                    },
                    "sensitivity": ["health"],
                    "reference": "OX-SR-000217",
                    "taken_at": "oxfordshire",
                    "substances": ["opiates"],
                    "stated_area": "oxfordshire",
                    "contact": {"phone": "01632 960137"},
                }
            ]
        }
    )

    standing: ClassVar[Standing] = Standing.REFERRAL

    kind: Literal["care.self-referred"] = "care.self-referred"
    reference: str
    taken_at: str
    substances: tuple[Substance, ...] = ()
    stated_area: str | None = None
    contact: Contact | None = None


CARE_EVENTS: tuple[type[Event], ...] = (Referred, RegistrationChanged, RegistrationEnded, SelfReferred)
"""Every kind of this subject."""
