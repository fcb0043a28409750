"""What the Department for Work and Pensions tells: canonical events of the subject `benefits`.

A referral says that a Jobcentre sent a person to be helped with drug dependence, and opens a case. Everything else is
about every claimant there is and only informs. No amount of money is ever told: nobody here may know one.
"""

import enum
from datetime import date
from typing import ClassVar, Literal

from pydantic import ConfigDict

from schemas.base import Event, Standing


class Benefit(enum.StrEnum):
    """An award of working age, by the name of its law and not by an office's abbreviation of it."""

    JOBSEEKERS_ALLOWANCE = "jobseekers_allowance"
    EMPLOYMENT_AND_SUPPORT_ALLOWANCE = "employment_and_support_allowance"
    INCOME_SUPPORT = "income_support"
    INCAPACITY_BENEFIT = "incapacity_benefit"
    UNIVERSAL_CREDIT = "universal_credit"


class AwardEvent(Event):
    """What every event about an award says. `office` is the Jobcentre that deals with it, by its own code."""

    standing: ClassVar[Standing] = Standing.INFORMING

    benefit: Benefit
    office: str | None = None


class AwardStarted(AwardEvent):
    """A person is entitled to a benefit from `effective` on."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "kind": "benefits.started",
                    "occurred": {"at": "2026-01-12T00:00:00Z", "precision": "day", "zone_assumed": True},
                    "person": {
                        "identifiers": [{"scheme": "nino", "raw": "AB123456", "value": "AB123456"}],
                        "name": {"forenames": "MARISA", "surname": "TOLLGATE"},
                        "date_of_birth": "1987-05-02",
                        "sex": "female",
                        "addresses": [{"kind": "declared", "postcode": "EN1 1TF"}],
                    },
                    "benefit": "jobseekers_allowance",
                    "office": "210364",
                    "effective": "2026-01-12",
                }
            ]
        }
    )

    kind: Literal["benefits.started"] = "benefits.started"
    effective: date


class AwardEnded(AwardEvent):
    """A person is entitled to a benefit no longer from `effective` on. `started` is when they had been, if told."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "kind": "benefits.ended",
                    "occurred": {"at": "2026-03-02T00:00:00Z", "precision": "day", "zone_assumed": True},
                    "person": {
                        "identifiers": [{"scheme": "nino", "raw": "AB123456C", "value": "AB123456"}],
                        "name": {"forenames": "MARISA", "surname": "TOLLGATE"},
                        "date_of_birth": "1987-05-02",
                    },
                    "benefit": "jobseekers_allowance",
                    "office": "210364",
                    "effective": "2026-03-02",
                }
            ]
        }
    )

    kind: Literal["benefits.ended"] = "benefits.ended"
    effective: date
    started: date | None = None


class AwardAmended(AwardEvent):
    """An award was decided anew from `effective` on, often long ago; None says that the award has no end any more."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "kind": "benefits.amended",
                    "occurred": {"at": "2025-11-03T00:00:00Z", "precision": "day", "zone_assumed": True},
                    "person": {
                        "identifiers": [{"scheme": "nino", "raw": "AB123456C", "value": "AB123456"}],
                        "name": {"forenames": "MARISA", "surname": "TOLLGATE"},
                        "date_of_birth": "1987-05-02",
                    },
                    "benefit": "employment_and_support_allowance",
                    "office": "210364",
                    "effective": "2025-11-03",
                }
            ]
        }
    )

    kind: Literal["benefits.amended"] = "benefits.amended"
    effective: date | None = None


class AwardAssessed(AwardEvent):
    """Universal Credit was worked out for a period: the claim stood on these days, whatever was paid."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "kind": "benefits.assessed",
                    "occurred": {"at": "2026-02-01T00:00:00Z", "precision": "day", "zone_assumed": True},
                    "person": {
                        "identifiers": [
                            {
                                "scheme": "citizen",
                                "raw": "0f6a4a53-7b43-4a38-9a53-2b0f4be8f7f1",
                                "value": "0f6a4a53-7b43-4a38-9a53-2b0f4be8f7f1",
                            }
                        ]
                    },
                    "benefit": "universal_credit",
                    "period_start": "2026-01-01",
                    "period_end": "2026-01-31",
                }
            ]
        }
    )

    kind: Literal["benefits.assessed"] = "benefits.assessed"
    period_start: date
    period_end: date


class ClaimantRecorded(Event):
    """Who a claimant of Universal Credit is: the number its other documents know them by, beside name and number."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "kind": "benefits.claimant-recorded",
                    "occurred": {"at": "2026-01-05T09:12:00Z"},
                    "person": {
                        "identifiers": [
                            {
                                "scheme": "citizen",
                                "raw": "0f6a4a53-7b43-4a38-9a53-2b0f4be8f7f1",
                                "value": "0f6a4a53-7b43-4a38-9a53-2b0f4be8f7f1",
                            },
                            {"scheme": "nino", "raw": "AB123456C", "value": "AB123456"},
                        ],
                        "name": {"forenames": "Marisa", "surname": "Tollgate"},
                    },
                }
            ]
        }
    )

    standing: ClassVar[Standing] = Standing.INFORMING

    kind: Literal["benefits.claimant-recorded"] = "benefits.claimant-recorded"


class JobcentreReferred(Event):
    """A Jobcentre referred a person to be helped with drug dependence: it opens a case.

    `reference` is the referral's own id, by which it is corrected and taken back; `provision` what the person was
    referred to. `mandated` says that benefit depends on taking part. `incident_marker` says that staff must ask the
    Jobcentre before they meet the person alone; it says no more, on purpose.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "kind": "benefits.referred",
                    "occurred": {"at": "2026-02-09T00:00:00Z", "precision": "day", "zone_assumed": True},
                    "person": {
                        "identifiers": [{"scheme": "nino", "raw": "AB123456C", "value": "AB123456"}],
                        "name": {"forenames": "Marisa", "surname": "Tollgate"},
                        "date_of_birth": "1987-05-02",
                        "addresses": [{"kind": "declared", "lines": ["4 Cooper's Row"], "postcode": "EN1 1TF"}],
                    },
                    "sensitivity": ["health"],
                    "reference": "PR-0048213",
                    "provision": "DRUG-REC-01",
                    "office": "210364",
                    "mandated": False,
                    "incident_marker": False,
                }
            ]
        }
    )

    standing: ClassVar[Standing] = Standing.REFERRAL

    kind: Literal["benefits.referred"] = "benefits.referred"
    reference: str
    provision: str
    office: str | None = None
    mandated: bool
    incident_marker: bool


BENEFITS_EVENTS: tuple[type[Event], ...] = (
    AwardStarted,
    AwardEnded,
    AwardAmended,
    AwardAssessed,
    ClaimantRecorded,
    JobcentreReferred,
)
"""Every kind of this subject."""
