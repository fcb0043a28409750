"""The custody record as a force writes it: one detention with the person detained, and one form or more.

The same names are the elements of the XML record and the columns of the CSV file, so both are read here, from text.
An empty field and an absent one are the same. How a field is read stands beside its type (`fields.py`).

The shapes are not frozen, though nothing changes them: one that is takes three times as long to fill.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, ClassVar, Final

from adapters.base import CodeTable
from adapters.claims import FIRST_BIRTH
from adapters.local_time import CLOCK_TOLERANCE, Told
from adapters.police_custody.codes import (
    ASSESSMENTS,
    ATTENDANCES,
    CEASE_REASONS,
    FORM_STATUSES,
    LABORATORY,
    RESULTS,
    SEXES,
    TEST_REASONS,
    Attendance,
    FormStatus,
    Laboratory,
)
from adapters.police_custody.faults import Broken
from adapters.police_custody.fields import REQUIRED, Check, Known, fields_of
from adapters.police_custody.readers import coded, day, flag, force, moment, number, reference, text
from schemas.base import Sex
from schemas.custody import Assessment, CeaseReason, DrugResult, TestReason

line: Final = text(100)
claimed: Final = text(40)
"""An identifier as claimed: what is wrong with it is a finding and no fault."""


def not_in_the_future(told: Told | None, _: Mapping[str, Any], known: Known) -> None:
    """Nothing is told of what has not happened yet (CU-019)."""
    if told is not None and told.at > known.received + CLOCK_TOLERANCE:
        raise Broken("CU-019")


def born_between_1900_and_now(born: date, _: Mapping[str, Any], known: Known) -> None:
    """A date of birth is one of somebody alive (CU-015)."""
    if not FIRST_BIRTH <= born <= known.received.date():
        raise Broken("CU-015")


def after_the_arrest(told: Told, _: Mapping[str, Any], known: Known) -> None:
    """A person is tested in custody (CU-032)."""
    if known.arrested is not None and told.at < known.arrested.at:
        raise Broken("CU-032")


def some_result(opiates: DrugResult | None, before: Mapping[str, Any], _: Known) -> None:
    """A test has a result for one drug at least (CU-030); one that cannot be read has its own fault already."""
    if opiates is None and before.get("result_cocaine", "unreadable") is None:
        raise Broken("CU-030")


def not_before(field: str) -> Check:
    """An appointment is not due before this other field's time (CU-031)."""

    def check(due: Told | None, before: Mapping[str, Any], _: Known) -> None:
        earlier: Told | None = before.get(field)
        if due is not None and earlier is not None and due.at < earlier.at:
            raise Broken("CU-031")

    return check


@dataclass(slots=True, kw_only=True)
class Detention:
    """What all forms of a record share: where the person is held, and who it is.

    A custody number is unique within its force.
    """

    force_code: Annotated[str, force]
    custody_number: Annotated[str, reference(r"[A-Z0-9][A-Z0-9/._-]{0,29}")]
    pnc_id: Annotated[str | None, claimed] = None
    station_code: Annotated[str, reference(r"[A-Z0-9]{2}")]
    arrested_at: Annotated[Told | None, moment, not_in_the_future] = None
    trigger_offence: Annotated[bool | None, flag] = None
    surname: Annotated[str, line]
    forenames: Annotated[str | None, line] = None
    date_of_birth: Annotated[date, day, born_between_1900_and_now]
    sex: Annotated[Sex | None, coded(SEXES)] = None
    cro_number: Annotated[str | None, claimed] = None
    asn: Annotated[str | None, claimed] = None
    address_1: Annotated[str | None, line] = None
    address_2: Annotated[str | None, line] = None
    address_3: Annotated[str | None, line] = None
    address_4: Annotated[str | None, line] = None
    postcode: Annotated[str | None, claimed] = None
    no_fixed_abode: Annotated[bool, flag] = False


@dataclass(slots=True, kw_only=True)
class Form:
    """What stands on every form: which it is, and of which version.

    A form's reference is unique within its custody record. `version` counts what the force has said of one test or one
    requirement, over all its forms: RA1 is 1, the RA2 that varies it is 2.
    """

    happened: ClassVar[str]
    """The field that says when what the form tells of happened."""
    needs: ClassVar[tuple[str, ...]] = ()
    """What the detention may leave out elsewhere, and must say where this form stands."""

    form_id: Annotated[str, reference(r"[A-Z0-9][A-Z0-9/._-]{0,39}")]
    version: Annotated[int | None, number] = None
    status: Annotated[FormStatus, coded(FORM_STATUSES)] = FormStatus.CURRENT


@dataclass(slots=True, kw_only=True)
class DrugTest(Form):
    """DT1: a drug test on arrest or charge.

    Where a laboratory confirms one drug and not the other, the force corrects the other's result and the test stands;
    NOT_CONFIRMED takes back the whole test.
    """

    happened: ClassVar[str] = "tested_at"
    needs: ClassVar[tuple[str, ...]] = ("trigger_offence",)

    test_reason: Annotated[TestReason, coded(TEST_REASONS)]
    tested_at: Annotated[Told, moment, not_in_the_future, after_the_arrest]
    result_cocaine: Annotated[DrugResult | None, coded(RESULTS)] = None
    result_opiates: Annotated[DrugResult | None, coded(RESULTS), some_result] = None
    disputed: Annotated[bool, flag] = False
    laboratory: Annotated[Laboratory | None, coded(LABORATORY)] = None
    assessment_required: Annotated[bool, flag] = False
    due_at: Annotated[Told | None, moment, not_before("tested_at")] = None


@dataclass(slots=True, kw_only=True)
class Notice(Form):
    """What every notice of an assessment says."""

    happened: ClassVar[str] = "given_at"

    given_at: Annotated[Told, moment, not_in_the_future]
    due_at: Annotated[Told, moment, not_before("given_at")]
    place: Annotated[str, text(200)]
    warning_given: Annotated[bool, flag]


@dataclass(slots=True, kw_only=True)
class InitialRequired(Notice):
    """RA1: an initial assessment is required."""


@dataclass(slots=True, kw_only=True)
class Varied(Notice):
    """RA2: the time or place of an assessment is changed. `form_id` is that of the form it varies."""

    assessment: Annotated[Assessment, coded(ASSESSMENTS)]


@dataclass(slots=True, kw_only=True)
class Attended(Form):
    """RA3: what became of the appointment at `due_at`. `form_id` is that of the form that required it."""

    happened: ClassVar[str] = "due_at"

    assessment: Annotated[Assessment, coded(ASSESSMENTS)]
    due_at: Annotated[Told, moment, not_in_the_future]
    attendance: Annotated[Attendance, coded(ATTENDANCES)]


@dataclass(slots=True, kw_only=True)
class FollowUpRequired(Notice):
    """RA4: a follow-up assessment is required."""


@dataclass(slots=True, kw_only=True)
class FollowUpCeased(Form):
    """RA5: the follow-up is no longer required. `form_id` is that of the RA4."""

    happened: ClassVar[str] = "given_at"

    given_at: Annotated[Told, moment, not_in_the_future]
    cease_reason: Annotated[CeaseReason, coded(CEASE_REASONS)]


FORMS: Final[CodeTable[type[Form]]] = CodeTable(
    "police_custody.form_type",
    {
        "DT1": DrugTest,
        "RA1": InitialRequired,
        "RA2": Varied,
        "RA3": Attended,
        "RA4": FollowUpRequired,
        "RA5": FollowUpCeased,
    },
)

_SHAPES: Final = (Detention, *FORMS.values())

COLUMNS: Final = ("form_type", *dict.fromkeys(field.name for shape in _SHAPES for field in fields_of(shape)))
"""Every field there is, in the order of the contract."""

REQUIRED_COLUMNS: Final = (
    "form_type",
    *(field.name for shape in (Detention, Form) for field in fields_of(shape) if field.default is REQUIRED),
)
"""The columns no file can do without."""
