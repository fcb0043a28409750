"""What happens in police custody: drug tests, Required Assessments and charges.

The vocabulary is that of the drug test forms: DT1 (test), RA1 (initial assessment required), RA2 (appointment varied),
RA3 (attended or missed), RA4 (follow-up required), RA5 (follow-up no longer required). A positive result is
provisional while it is disputed; a laboratory that does not confirm it takes the test back.
"""

import enum
from typing import Annotated, Any, ClassVar, Literal

from pydantic import ConfigDict, StringConstraints

from schemas.base import Event, Model, Moment, Standing


class Suite(Model):
    """A custody suite: the police force's two-digit code and the two-character code of the station within it.

    The force says who holds the person. It never says where home is: Stockport and Wigan share force 06.
    """

    force: Annotated[str, StringConstraints(pattern=r"^[0-9]{2}$")]
    station: Annotated[str, StringConstraints(pattern=r"^[A-Z0-9]{2}$")]


class TestReason(enum.StrEnum):
    """The condition under which a sample may be taken (PACE s63B as amended by the Drugs Act 2005, s7)."""

    __test__ = False  # its name begins with Test, and pytest looks twice at such names

    ARREST = "arrest"
    """Arrested for a trigger offence; from 18 years."""
    CHARGE = "charge"
    """Charged with a trigger offence; from 14 years."""
    INSPECTOR = "inspector"
    """An inspector had grounds to think that a specified Class A drug had a part in it; from 18 years on arrest."""


class DrugResult(enum.StrEnum):
    """What a test found for one drug. The drugs are independent of each other."""

    POSITIVE = "positive"
    NEGATIVE = "negative"
    INVALID = "invalid"
    REFUSED = "refused"


class Assessment(enum.StrEnum):
    """Which of the two assessments the Drugs Act 2005 can require (s9 and s10)."""

    INITIAL = "initial"
    FOLLOW_UP = "follow_up"


class CeaseReason(enum.StrEnum):
    """Why a required follow-up lapsed (Drugs Act 2005, s10 and s13)."""

    NOT_NEEDED = "not_needed"
    """The initial assessor found that none was needed."""
    OTHER = "other"
    """A reason the force gives and we draw no distinction for."""


class CustodyStatus(enum.StrEnum):
    """How a charged person goes to the first hearing."""

    IN_CUSTODY = "in_custody"
    ON_BAIL = "on_bail"


# Every person and number in the examples is invented.
_PERSON: dict[str, Any] = {
    "identifiers": [
        {"scheme": "custody", "raw": "YE/1204/12", "value": "01/YE/1204/12"},
        {"scheme": "pnc", "raw": "04/137251W", "value": "2004/0137251W"},
    ],
    "name": {"forenames": "Casimir", "surname": "Oakenfold-Rees"},
    "date_of_birth": "1981-03-17",
    "sex": "male",
    "addresses": [{"kind": "declared", "lines": ["14 Invented Row", "Stockport"], "postcode": "SK1 3XE"}],
}
_SUITE = {"force": "01", "station": "YE"}
_SENSITIVITY = ["health", "offence"]


def _at(instant: str) -> dict[str, Any]:
    return {"at": instant, "precision": "minute", "zone_assumed": True}


def _notice(kind: str, requirement: str) -> dict[str, Any]:
    return {
        "kind": kind,
        "occurred": _at("2012-05-05T00:10:00Z"),
        "person": _PERSON,
        "sensitivity": _SENSITIVITY,
        "suite": _SUITE,
        "requirement": requirement,
        "due": _at("2012-05-09T09:30:00Z"),
        "place": "Enfield LASARS, 1 Example Parade",
        "warning_given": True,
    }


def _outcome(outcome: str) -> dict[str, Any]:
    return {
        "kind": f"custody.assessment.{outcome}",
        "occurred": _at("2012-05-09T09:30:00Z"),
        "person": _PERSON,
        "sensitivity": _SENSITIVITY,
        "suite": _SUITE,
        "requirement": "RA-4471",
        "assessment": "initial",
    }


_TEST: dict[str, Any] = {
    "kind": "custody.drug-test.recorded",
    "occurred": _at("2012-05-04T22:41:00Z"),
    "person": _PERSON,
    "sensitivity": _SENSITIVITY,
    "suite": _SUITE,
    "reason": "arrest",
    "trigger_offence": True,
    "cocaine": "positive",
    "opiates": "negative",
    "assessment_required": True,
    "assessment_due": _at("2012-05-09T09:30:00Z"),
}
_CEASED: dict[str, Any] = {
    "kind": "custody.follow-up.ceased",
    "occurred": _at("2012-05-10T14:00:00Z"),
    "person": _PERSON,
    "sensitivity": _SENSITIVITY,
    "suite": _SUITE,
    "requirement": "FU-4472",
    "reason": "not_needed",
}
_CHARGED: dict[str, Any] = {
    "kind": "custody.charged",
    "occurred": {"at": "2012-05-04T23:00:00Z", "precision": "day", "zone_assumed": True},
    "person": _PERSON,
    "sensitivity": ["offence"],
    "case_urn": "01YE1204512",
    "arrested": {"at": "2012-05-03T23:00:00Z", "precision": "day", "zone_assumed": True},
    "custody_status": "on_bail",
    "court": "B01EF00",
    "hearing": _at("2012-05-21T09:00:00Z"),
}


class CustodyEvent(Event):
    """Something told by the custody suite that dealt with the person."""

    suite: Suite


class DrugTestRecorded(CustodyEvent):
    """A drug test was taken, refused or invalid (form DT1). Occurred is the time of the test.

    cocaine, opiates: the result for each, None where it was not tested for.
    disputed: the person disputes the result, and the sample has gone to a laboratory.
    confirmed_by_laboratory: the laboratory has replied and stands by it.
    assessment_due: when the initial assessment required on this result is due, where the record says so already.

    A positive result is a referral. A negative, invalid or refused one opens nothing: it only informs.
    """

    standing: ClassVar[Standing] = Standing.REFERRAL

    kind: Literal["custody.drug-test.recorded"] = "custody.drug-test.recorded"
    reason: TestReason
    trigger_offence: bool
    cocaine: DrugResult | None = None
    opiates: DrugResult | None = None
    disputed: bool = False
    confirmed_by_laboratory: bool = False
    assessment_required: bool = False
    assessment_due: Moment | None = None

    @property
    def opens_case(self) -> bool:
        """True for a result that is positive for any drug."""
        return DrugResult.POSITIVE in (self.cocaine, self.opiates)

    model_config = ConfigDict(json_schema_extra={"examples": [_TEST]})


class Appointment(CustodyEvent):
    """An assessment the person must attend, as told orally and confirmed in writing (Drugs Act 2005, s13).

    requirement: the force's reference of the requirement. Occurred is when the notice was given.
    warning_given: the person was warned that failing to attend, or to stay, without good cause is an offence.
    """

    requirement: str
    due: Moment
    place: str
    warning_given: bool


class AssessmentRequired(Appointment):
    """An initial assessment is required (form RA1)."""

    standing: ClassVar[Standing] = Standing.REFERRAL

    kind: Literal["custody.assessment.required"] = "custody.assessment.required"

    model_config = ConfigDict(json_schema_extra={"examples": [_notice("custody.assessment.required", "RA-4471")]})


class AssessmentVaried(Appointment):
    """The time or place of an assessment was changed by a further written notice (form RA2).

    It speaks of the same fact as the notice it varies, and so corrects it.
    """

    standing: ClassVar[Standing] = Standing.REFERRAL

    kind: Literal["custody.assessment.varied"] = "custody.assessment.varied"
    assessment: Assessment

    model_config = ConfigDict(
        json_schema_extra={"examples": [_notice("custody.assessment.varied", "RA-4471") | {"assessment": "initial"}]}
    )


class FollowUpRequired(Appointment):
    """A follow-up assessment is required (form RA4)."""

    standing: ClassVar[Standing] = Standing.REFERRAL

    kind: Literal["custody.follow-up.required"] = "custody.follow-up.required"

    model_config = ConfigDict(json_schema_extra={"examples": [_notice("custody.follow-up.required", "FU-4472")]})


class AssessmentAttended(CustodyEvent):
    """The person came to the assessment (form RA3). Occurred is the time of the appointment.

    remained: stayed to its end; leaving early counts in law as failing to attend.
    """

    standing: ClassVar[Standing] = Standing.INFORMING

    kind: Literal["custody.assessment.attended"] = "custody.assessment.attended"
    requirement: str
    assessment: Assessment
    remained: bool

    model_config = ConfigDict(json_schema_extra={"examples": [_outcome("attended") | {"remained": True}]})


class AssessmentMissed(CustodyEvent):
    """The person did not come to the assessment (form RA3). Occurred is the time of the appointment."""

    standing: ClassVar[Standing] = Standing.INFORMING

    kind: Literal["custody.assessment.missed"] = "custody.assessment.missed"
    requirement: str
    assessment: Assessment

    model_config = ConfigDict(json_schema_extra={"examples": [_outcome("missed")]})


class FollowUpCeased(CustodyEvent):
    """A required follow-up lapsed (form RA5). It speaks of the same fact as the form that required it."""

    standing: ClassVar[Standing] = Standing.INFORMING

    kind: Literal["custody.follow-up.ceased"] = "custody.follow-up.ceased"
    requirement: str
    reason: CeaseReason

    model_config = ConfigDict(json_schema_extra={"examples": [_CEASED]})


class Charged(Event):
    """A person was charged, and a court told (the police NewCaseMessage). Occurred is the day of the first charge.

    case_urn: the prosecution's reference of the case (PTIURN). court: the code of the court of the first hearing.
    No offence travels: nobody who receives this may see which.
    """

    standing: ClassVar[Standing] = Standing.INFORMING

    kind: Literal["custody.charged"] = "custody.charged"
    case_urn: str
    arrested: Moment | None = None
    custody_status: CustodyStatus
    court: str
    hearing: Moment

    model_config = ConfigDict(json_schema_extra={"examples": [_CHARGED]})
