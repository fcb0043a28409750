"""What happens to a person in prison: canonical events of the subject `imprisonment`.

Where a person is held follows from `prison`, the NOMIS agency id ("LII" is Lincoln). A person who is out for court, an
absence, hospital or a move between prisons is still held; only `released`, `at-large` and `died` end it.
"""

import enum
from datetime import date
from typing import Annotated, ClassVar, Literal

from pydantic import ConfigDict, StringConstraints

from schemas.base import Event, Model, Standing
from schemas.identifiers import Identifier

PrisonId = Annotated[str, StringConstraints(pattern=r"^[A-Z0-9]{3,6}$")]
"""A NOMIS agency id. The pseudo agencies (OUT, TRN, GHI) are places no one is held in and never stand here."""


class LegalStatus(enum.StrEnum):
    """In what right a person is held, in the classes of NOMIS."""

    REMAND = "remand"
    CONVICTED_UNSENTENCED = "convicted_unsentenced"
    SENTENCED = "sentenced"
    INDETERMINATE_SENTENCE = "indeterminate_sentence"
    RECALL = "recall"
    CIVIL_PRISONER = "civil_prisoner"
    IMMIGRATION_DETAINEE = "immigration_detainee"
    DEAD = "dead"
    OTHER = "other"
    UNKNOWN = "unknown"


class ReceptionReason(enum.StrEnum):
    """Why a person was taken into prison. ADMISSION says no more; the right they are held in says the rest."""

    ADMISSION = "admission"
    RECALL = "recall"
    READMISSION = "readmission"
    """Back on the same booking: a release undone, or a return on the sentence that had been left."""
    BACK_IN_CUSTODY = "back_in_custody"
    """After an escape, or late from a temporary release."""


class ReleaseReason(enum.StrEnum):
    """Why a person was let go. OTHER is a reason the prison names and we do not tell apart, never an unknown one."""

    CONDITIONAL = "conditional"
    HOME_DETENTION_CURFEW = "home_detention_curfew"
    SENTENCE_END = "sentence_end"
    PAROLE = "parole"
    BAIL = "bail"
    NON_CUSTODIAL_SENTENCE = "non_custodial_sentence"
    NOT_GUILTY = "not_guilty"
    FINE_PAID = "fine_paid"
    DEPORTED = "deported"
    OTHER = "other"


class Absence(enum.StrEnum):
    """What takes a person out of a prison that still holds them."""

    COURT = "court"
    TEMPORARY_ABSENCE = "temporary_absence"
    HOSPITAL = "hospital"
    TRANSFER = "transfer"


class Substance(enum.StrEnum):
    """What a need for treatment is about."""

    OPIATES = "opiates"
    CRACK = "crack"
    COCAINE = "cocaine"
    AMPHETAMINES = "amphetamines"
    BENZODIAZEPINES = "benzodiazepines"
    CANNABIS = "cannabis"
    SYNTHETIC_CANNABINOIDS = "synthetic_cannabinoids"
    OTHER = "other"


class ReleaseDates(Model):
    """When a person may leave, as the prison stands by it now. Each date is None where the prison gives none.

    `expected` is the date NOMIS goes by; `confirmed` is the one a person in the prison has confirmed, and wins over it.
    """

    expected: date | None = None
    confirmed: date | None = None
    conditional: date | None = None
    automatic: date | None = None
    post_recall: date | None = None
    hdc_eligibility: date | None = None
    hdc_actual: date | None = None
    sentence_expiry: date | None = None
    licence_expiry: date | None = None


class ImprisonmentEvent(Event):
    """What every event about a person in prison says. `prison` holds the person, or held them until this event."""

    standing: ClassVar[Standing] = Standing.INFORMING

    prison: PrisonId | None = None


class Received(ImprisonmentEvent):
    """A person was received into prison. Returns and moves between prisons are events of their own.

    `legal_status` and `dates` are None where the source sent only the movement.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "kind": "imprisonment.received",
                    "occurred": {"at": "2025-03-04T14:10:00Z", "precision": "second", "zone_assumed": False},
                    "person": {
                        "identifiers": [{"scheme": "noms", "raw": "A4827KX", "value": "A4827KX"}],
                        "name": {"forenames": "Corin", "surname": "Ashdale"},
                        "date_of_birth": "1988-02-17",
                        "sex": "male",
                        "addresses": [{"kind": "reception", "postcode": "WN1 1XX", "start": "2024-06-01"}],
                    },
                    "sensitivity": ["offence"],
                    "prison": "LII",
                    "reason": "admission",
                    "legal_status": "sentenced",
                    "dates": {"expected": "2025-09-02", "conditional": "2025-09-02"},
                }
            ]
        }
    )

    kind: Literal["imprisonment.received"] = "imprisonment.received"
    reason: ReceptionReason
    legal_status: LegalStatus | None = None
    dates: ReleaseDates | None = None


class Transferred(ImprisonmentEvent):
    """A person arrived at another prison, `prison`, which holds them from now on."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "kind": "imprisonment.transferred",
                    "occurred": {"at": "2025-04-01T10:45:00Z"},
                    "person": {"identifiers": [{"scheme": "noms", "raw": "A4827KX", "value": "A4827KX"}]},
                    "sensitivity": ["offence"],
                    "prison": "NHI",
                    "legal_status": "sentenced",
                }
            ]
        }
    )

    kind: Literal["imprisonment.transferred"] = "imprisonment.transferred"
    legal_status: LegalStatus | None = None
    dates: ReleaseDates | None = None


class TemporarilyOut(ImprisonmentEvent):
    """A person left the building of the prison that still holds them: never a release home."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "kind": "imprisonment.temporarily-out",
                    "occurred": {"at": "2025-05-12T07:20:00Z"},
                    "person": {"identifiers": [{"scheme": "noms", "raw": "A4827KX", "value": "A4827KX"}]},
                    "sensitivity": ["offence"],
                    "prison": "LII",
                    "absence": "court",
                }
            ]
        }
    )

    kind: Literal["imprisonment.temporarily-out"] = "imprisonment.temporarily-out"
    absence: Absence


class Returned(ImprisonmentEvent):
    """A person is back from court, an absence or hospital, at `prison`, which need not be the one they left."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "kind": "imprisonment.returned",
                    "occurred": {"at": "2025-05-12T17:05:00Z"},
                    "person": {"identifiers": [{"scheme": "noms", "raw": "A4827KX", "value": "A4827KX"}]},
                    "sensitivity": ["offence"],
                    "prison": "LII",
                    "absence": "court",
                }
            ]
        }
    )

    kind: Literal["imprisonment.returned"] = "imprisonment.returned"
    absence: Absence
    legal_status: LegalStatus | None = None
    dates: ReleaseDates | None = None


class DatesChanged(ImprisonmentEvent):
    """The release dates as they stand now: the whole set, so that a date that is gone is gone."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "kind": "imprisonment.dates-changed",
                    "occurred": {"at": "2025-06-03T09:00:00Z"},
                    "person": {
                        "identifiers": [
                            {"scheme": "noms", "raw": "A4827KX", "value": "A4827KX"},
                            {"scheme": "booking", "raw": "1730021", "value": "1730021"},
                        ],
                        "name": {"forenames": "Corin", "surname": "Ashdale"},
                        "date_of_birth": "1988-02-17",
                        "addresses": [{"kind": "discharge", "postcode": "WN1 1XX", "confirmed": True}],
                    },
                    "sensitivity": ["offence"],
                    "prison": "LII",
                    "dates": {"expected": "2025-08-19", "confirmed": "2025-08-19", "conditional": "2025-08-20"},
                    "legal_status": "sentenced",
                }
            ]
        }
    )

    kind: Literal["imprisonment.dates-changed"] = "imprisonment.dates-changed"
    dates: ReleaseDates
    legal_status: LegalStatus | None = None


class StatusChanged(ImprisonmentEvent):
    """The right in which a person is held changed (remand to sentenced, licence recalled)."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "kind": "imprisonment.status-changed",
                    "occurred": {"at": "2025-03-20T15:30:00Z"},
                    "person": {"identifiers": [{"scheme": "noms", "raw": "A4827KX", "value": "A4827KX"}]},
                    "sensitivity": ["offence"],
                    "prison": "LII",
                    "legal_status": "sentenced",
                }
            ]
        }
    )

    kind: Literal["imprisonment.status-changed"] = "imprisonment.status-changed"
    legal_status: LegalStatus


class Released(ImprisonmentEvent):
    """A person was let go from `prison`. Where they went stands in a discharge address, if anyone said."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "kind": "imprisonment.released",
                    "occurred": {"at": "2025-08-19T08:40:00Z"},
                    "person": {
                        "identifiers": [{"scheme": "noms", "raw": "A4827KX", "value": "A4827KX"}],
                        "addresses": [{"kind": "discharge", "no_fixed_abode": True}],
                    },
                    "sensitivity": ["offence"],
                    "prison": "LII",
                    "reason": "conditional",
                }
            ]
        }
    )

    kind: Literal["imprisonment.released"] = "imprisonment.released"
    reason: ReleaseReason
    dates: ReleaseDates | None = None


class AtLarge(ImprisonmentEvent):
    """A person escaped, absconded or did not come back: no longer held, and not released."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "kind": "imprisonment.at-large",
                    "occurred": {"at": "2025-07-06T21:00:00Z"},
                    "person": {"identifiers": [{"scheme": "noms", "raw": "A4827KX", "value": "A4827KX"}]},
                    "sensitivity": ["offence"],
                    "prison": "NHI",
                }
            ]
        }
    )

    kind: Literal["imprisonment.at-large"] = "imprisonment.at-large"


class Died(ImprisonmentEvent):
    """A person died while `prison` held them. NOMIS writes it as a release; it is none."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "kind": "imprisonment.died",
                    "occurred": {"at": "2025-07-11T03:15:00Z"},
                    "person": {"identifiers": [{"scheme": "noms", "raw": "A4827KX", "value": "A4827KX"}]},
                    "sensitivity": ["offence"],
                    "prison": "LII",
                }
            ]
        }
    )

    kind: Literal["imprisonment.died"] = "imprisonment.died"


class Merged(ImprisonmentEvent):
    """Two prison records were found to be one person. `removed` is gone; the person's own number is what survives."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "kind": "imprisonment.merged",
                    "occurred": {"at": "2025-03-05T11:25:00Z"},
                    "person": {"identifiers": [{"scheme": "noms", "raw": "A4827KX", "value": "A4827KX"}]},
                    "sensitivity": ["offence"],
                    "removed": {"scheme": "noms", "raw": "A5190KX", "value": "A5190KX"},
                }
            ]
        }
    )

    kind: Literal["imprisonment.merged"] = "imprisonment.merged"
    removed: Identifier


class NeedIdentified(ImprisonmentEvent):
    """A prison's drug team found that a person needs treatment for drug dependence and refers them: it opens a case.

    `reference` is the team's own number for the referral; `team` is whom to ask, never a person in prison.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "kind": "imprisonment.need-identified",
                    "occurred": {"at": "2025-03-06T00:00:00Z", "precision": "day"},
                    "person": {
                        "identifiers": [{"scheme": "noms", "raw": "A4827KX", "value": "A4827KX"}],
                        "name": {"forenames": "Corin", "surname": "Ashdale"},
                        "date_of_birth": "1988-02-17",
                        "addresses": [{"kind": "reception", "postcode": "WN1 1XX"}],
                    },
                    "sensitivity": ["health", "offence"],
                    "prison": "LII",
                    "reference": "LII-DT-000381",
                    "substances": ["opiates", "crack"],
                    "team": "HMP Lincoln drug team",
                }
            ]
        }
    )

    standing: ClassVar[Standing] = Standing.REFERRAL

    kind: Literal["imprisonment.need-identified"] = "imprisonment.need-identified"
    reference: str
    substances: tuple[Substance, ...]
    team: str | None = None


IMPRISONMENT_EVENTS: tuple[type[ImprisonmentEvent], ...] = (
    Received,
    Transferred,
    TemporarilyOut,
    Returned,
    DatesChanged,
    StatusChanged,
    Released,
    AtLarge,
    Died,
    Merged,
    NeedIdentified,
)
"""Every kind of this subject, in the order of a stay."""
