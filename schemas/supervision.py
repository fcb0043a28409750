"""What happens to a person under probation supervision: canonical events of the subject `supervision`.

A person is known to probation by a CRN. An **event** of theirs, in probation's own word, is one sentence with what it
brings (an order, its requirements, a licence), numbered for each person from 1: `event_number`. Probation **regions**
are its own and are no areas of the programme; they say who supervises, never where home is.
"""

import enum
from datetime import date
from typing import Annotated, ClassVar, Literal

from pydantic import ConfigDict, StringConstraints

from schemas.base import Event, Standing
from schemas.identifiers import Identifier
from schemas.imprisonment import Substance

RegionCode = Annotated[str, StringConstraints(pattern=r"^[A-Z0-9]{1,6}$")]
"""A region (provider) of the probation service by its code in Delius ("N07" is London)."""


class Requirement(enum.StrEnum):
    """What a court requires of a person beside supervision, as far as a LASARS has to tell it apart."""

    DRUG_REHABILITATION = "drug_rehabilitation"
    """DRR (Sentencing Act 2020, schedule 9 part 10): treatment for dependence on drugs, ordered with consent."""
    ALCOHOL_TREATMENT = "alcohol_treatment"
    """ATR (Sentencing Act 2020, schedule 9 part 11): treatment for dependence on alcohol."""
    OTHER = "other"
    """A requirement probation names and we do not tell apart, never an unknown one."""


TREATMENT = frozenset({Requirement.DRUG_REHABILITATION, Requirement.ALCOHOL_TREATMENT})
"""The requirements that a court makes to have a dependence treated."""


class Stage(enum.StrEnum):
    """How far enforcement has got."""

    RAISED = "raised"
    CONCLUDED = "concluded"


class SupervisionEvent(Event):
    """What every event about a person under supervision says. `region` supervises them, where the source tells it."""

    standing: ClassVar[Standing] = Standing.INFORMING

    region: RegionCode | None = None


class Started(SupervisionEvent):
    """Supervision began: a court passed a sentence that probation manages.

    `order` is the kind of sentence in probation's words ("CJA - Community Order").
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "kind": "supervision.started",
                    "occurred": {"at": "2025-01-12T00:00:00Z", "precision": "day", "zone_assumed": True},
                    "person": {
                        "identifiers": [{"scheme": "crn", "raw": "X482713", "value": "X482713"}],
                        "name": {"forenames": "Maren", "surname": "Thistlewood"},
                        "date_of_birth": "1990-11-23",
                        "sex": "female",
                    },
                    "sensitivity": ["offence"],
                    "region": "N51",
                    "event_number": "2",
                    "order": "Community Order",
                }
            ]
        }
    )

    kind: Literal["supervision.started"] = "supervision.started"
    event_number: str
    order: str | None = None


class Transferred(SupervisionEvent):
    """Responsibility for supervising a person passed to another team, of `region`."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "kind": "supervision.transferred",
                    "occurred": {"at": "2025-04-02T09:15:00Z"},
                    "person": {"identifiers": [{"scheme": "crn", "raw": "X482713", "value": "X482713"}]},
                    "sensitivity": ["offence"],
                    "region": "N07",
                    "team": "Enfield team 2",
                }
            ]
        }
    )

    kind: Literal["supervision.transferred"] = "supervision.transferred"
    team: str | None = None


class Ended(SupervisionEvent):
    """Supervision under one sentence ended. Another sentence of the same person may go on."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "kind": "supervision.ended",
                    "occurred": {"at": "2026-01-11T00:00:00Z", "precision": "day", "zone_assumed": True},
                    "person": {"identifiers": [{"scheme": "crn", "raw": "X482713", "value": "X482713"}]},
                    "sensitivity": ["offence"],
                    "region": "N51",
                    "event_number": "2",
                }
            ]
        }
    )

    kind: Literal["supervision.ended"] = "supervision.ended"
    event_number: str


class RequirementStarted(SupervisionEvent):
    """A requirement of a person's sentence began.

    A drug rehabilitation or alcohol treatment requirement is a court's referral to treatment and opens a case; any
    other requirement only informs. `reference` is probation's number for it.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "kind": "supervision.requirement-started",
                    "occurred": {"at": "2025-01-20T00:00:00Z", "precision": "day", "zone_assumed": True},
                    "person": {
                        "identifiers": [{"scheme": "crn", "raw": "X482713", "value": "X482713"}],
                        "name": {"forenames": "Maren", "surname": "Thistlewood"},
                        "date_of_birth": "1990-11-23",
                    },
                    "sensitivity": ["health", "offence"],
                    "region": "N51",
                    "reference": "2500412207",
                    "requirement": "drug_rehabilitation",
                    "length": 6,
                    "length_unit": "Months",
                    "expected_end": "2025-07-20",
                }
            ]
        }
    )

    standing: ClassVar[Standing] = Standing.REFERRAL

    kind: Literal["supervision.requirement-started"] = "supervision.requirement-started"
    reference: str
    requirement: Requirement
    length: int | None = None
    length_unit: str | None = None
    expected_end: date | None = None

    @property
    def opens_case(self) -> bool:
        """Only a court-ordered treatment does."""
        return self.requirement in TREATMENT


class RequirementEnded(SupervisionEvent):
    """A requirement of a person's sentence ended, whether it was completed or not."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "kind": "supervision.requirement-ended",
                    "occurred": {"at": "2025-07-14T00:00:00Z", "precision": "day", "zone_assumed": True},
                    "person": {"identifiers": [{"scheme": "crn", "raw": "X482713", "value": "X482713"}]},
                    "sensitivity": ["health", "offence"],
                    "region": "N51",
                    "reference": "2500412207",
                    "requirement": "drug_rehabilitation",
                }
            ]
        }
    )

    kind: Literal["supervision.requirement-ended"] = "supervision.requirement-ended"
    reference: str
    requirement: Requirement


class Breached(SupervisionEvent):
    """Probation began to enforce an order that was not kept, or the enforcement came to its end."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "kind": "supervision.breached",
                    "occurred": {"at": "2025-05-06T13:02:00Z"},
                    "person": {"identifiers": [{"scheme": "crn", "raw": "X482713", "value": "X482713"}]},
                    "sensitivity": ["offence"],
                    "region": "N51",
                    "stage": "raised",
                }
            ]
        }
    )

    kind: Literal["supervision.breached"] = "supervision.breached"
    stage: Stage


class LicenceActivated(SupervisionEvent):
    """The licence on which a person leaves prison came into force. `licence` is the number of the licence itself."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "kind": "supervision.licence-activated",
                    "occurred": {"at": "2025-08-19T07:30:00Z"},
                    "person": {
                        "identifiers": [
                            {"scheme": "crn", "raw": "X519340", "value": "X519340"},
                            {"scheme": "noms", "raw": "A4827KX", "value": "A4827KX"},
                        ]
                    },
                    "sensitivity": ["offence"],
                    "region": "N51",
                    "licence": "48213",
                }
            ]
        }
    )

    kind: Literal["supervision.licence-activated"] = "supervision.licence-activated"
    licence: str


class Recalled(SupervisionEvent):
    """Probation began to recall a person on licence, or the recall came to its end. Custody is the prison's to tell."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "kind": "supervision.recalled",
                    "occurred": {"at": "2025-09-30T16:45:00Z"},
                    "person": {"identifiers": [{"scheme": "crn", "raw": "X519340", "value": "X519340"}]},
                    "sensitivity": ["offence"],
                    "region": "N51",
                    "stage": "raised",
                }
            ]
        }
    )

    kind: Literal["supervision.recalled"] = "supervision.recalled"
    stage: Stage


class AddressChanged(SupervisionEvent):
    """Where a person lives, as probation records it now: the whole set, so that an address that is gone is gone."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "kind": "supervision.address-changed",
                    "occurred": {"at": "2025-03-31T23:00:00Z", "precision": "day", "zone_assumed": True},
                    "person": {
                        "identifiers": [{"scheme": "crn", "raw": "X482713", "value": "X482713"}],
                        "addresses": [
                            {"kind": "main", "postcode": "SK1 3XE", "start": "2025-04-01"},
                            {"kind": "previous", "postcode": "WN1 1XX", "start": "2023-02-01", "end": "2025-03-31"},
                        ],
                    },
                    "sensitivity": ["offence"],
                }
            ]
        }
    )

    kind: Literal["supervision.address-changed"] = "supervision.address-changed"


class ManagerChanged(SupervisionEvent):
    """Another probation practitioner supervises the person. Practitioners are not named, their `team` is."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "kind": "supervision.manager-changed",
                    "occurred": {"at": "2025-02-03T11:20:00Z"},
                    "person": {"identifiers": [{"scheme": "crn", "raw": "X482713", "value": "X482713"}]},
                    "sensitivity": ["offence"],
                    "region": "N51",
                    "team": "Stockport team 1",
                }
            ]
        }
    )

    kind: Literal["supervision.manager-changed"] = "supervision.manager-changed"
    team: str | None = None


class Merged(SupervisionEvent):
    """Two probation cases were found to be one person. `removed` is gone; the person's own CRN is what survives."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "kind": "supervision.merged",
                    "occurred": {"at": "2025-06-13T08:18:40Z"},
                    "person": {"identifiers": [{"scheme": "crn", "raw": "X482713", "value": "X482713"}]},
                    "sensitivity": ["offence"],
                    "removed": {"scheme": "crn", "raw": "X482699", "value": "X482699"},
                }
            ]
        }
    )

    kind: Literal["supervision.merged"] = "supervision.merged"
    removed: Identifier


class Unmerged(SupervisionEvent):
    """A merge was undone: `reactivated` is a case of its own again, of somebody else than the person's own CRN."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "kind": "supervision.unmerged",
                    "occurred": {"at": "2025-06-20T10:00:00Z"},
                    "person": {"identifiers": [{"scheme": "crn", "raw": "X482713", "value": "X482713"}]},
                    "sensitivity": ["offence"],
                    "reactivated": {"scheme": "crn", "raw": "X482699", "value": "X482699"},
                }
            ]
        }
    )

    kind: Literal["supervision.unmerged"] = "supervision.unmerged"
    reactivated: Identifier


class NeedIdentified(SupervisionEvent):
    """A probation team found that a person needs treatment for drug dependence and refers them: it opens a case.

    `reference` is the team's own number for the referral; `team` is whom to ask.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "kind": "supervision.need-identified",
                    "occurred": {"at": "2025-02-10T00:00:00Z", "precision": "day", "zone_assumed": True},
                    "person": {
                        "identifiers": [{"scheme": "crn", "raw": "X482713", "value": "X482713"}],
                        "name": {"forenames": "Maren", "surname": "Thistlewood"},
                        "date_of_birth": "1990-11-23",
                        "addresses": [{"kind": "declared", "postcode": "SK1 3XE"}],
                    },
                    "sensitivity": ["health", "offence"],
                    "region": "N51",
                    "reference": "N51-SM-000127",
                    "substances": ["opiates"],
                    "team": "Stockport team 1",
                }
            ]
        }
    )

    standing: ClassVar[Standing] = Standing.REFERRAL

    kind: Literal["supervision.need-identified"] = "supervision.need-identified"
    reference: str
    substances: tuple[Substance, ...]
    team: str | None = None


SUPERVISION_EVENTS: tuple[type[SupervisionEvent], ...] = (
    Started,
    Transferred,
    Ended,
    RequirementStarted,
    RequirementEnded,
    Breached,
    LicenceActivated,
    Recalled,
    AddressChanged,
    ManagerChanged,
    Merged,
    Unmerged,
    NeedIdentified,
)
"""Every kind of this subject, in the order of an order."""
