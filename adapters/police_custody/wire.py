"""The custody record as a force writes it: one detention, one person, one form.

The same names are the elements of the XML record and the columns of the CSV file, so both are read here, from text.
An empty field and an absent one are the same. Every fault of a record is found in one pass and named by its rule.
"""

import re
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Annotated, ClassVar, Final, TypeVar, cast

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo, field_validator

from adapters.base import CodeTable, UnknownCode
from adapters.local_time import Told, read_day, read_moment
from adapters.police_custody.codes import (
    ASSESSMENTS,
    ATTENDANCES,
    CEASE_REASONS,
    FORCES_RENAMED,
    FORM_STATUSES,
    LABORATORY,
    RESULTS,
    SEXES,
    TEST_REASONS,
    Attendance,
    FormStatus,
    Laboratory,
)
from adapters.police_custody.faults import Broken, code_detail, is_text, shape, spaced
from schemas.base import Sex
from schemas.custody import Assessment, CeaseReason, DrugResult, TestReason

CLOCK_TOLERANCE: Final = timedelta(minutes=10)
"""How far a sender's clock may run ahead of ours."""

FIRST_BIRTH: Final = date(1900, 1, 1)

Meaning = TypeVar("Meaning")


def _text(longest: int) -> Callable[[str], str]:
    """A reader of free text: one line, without control characters, of at most so many characters."""

    def read(text: str) -> str:
        line = spaced(text)
        if len(line) > longest or not is_text(line):
            raise Broken("CU-011", f"{len(line)} characters of at most {longest}" if len(line) > longest else "")
        return line

    return read


def _form(pattern: str) -> Callable[[str], str]:
    """A reader of a reference that has a form of its own. Spaces and lower case are no faults."""
    whole = re.compile(pattern, re.ASCII)

    def read(text: str) -> str:
        written = text.replace(" ", "").upper()
        if whole.fullmatch(written) is None:
            raise Broken("CU-012", shape(text))
        return written

    return read


def _coded(table: CodeTable[Meaning]) -> Callable[[str], Meaning]:
    def read(text: str) -> Meaning:
        try:
            return table[text.strip().upper()]
        except UnknownCode as unknown:
            raise Broken("CU-020", code_detail(unknown)) from None

    return read


def _day(text: str) -> date:
    day = read_day(text.strip())
    if day is None:
        raise Broken("CU-014", shape(text))
    return day


def _moment(text: str) -> Told:
    told = read_moment(text.strip())
    if told is None:
        raise Broken("CU-016", shape(text))
    return told


def _flag(text: str) -> bool:
    match text.strip().upper():
        case "Y":
            return True
        case "N":
            return False
        case _:
            raise Broken("CU-012", shape(text))


_two_digits = _form(r"[0-9]{2}")
_nine_digits = _form(r"[0-9]{1,9}")


def _force(text: str) -> str:
    force = _two_digits(text)
    return FORCES_RENAMED.get(force, force)


def _number(text: str) -> int:
    return int(_nine_digits(text))


Line = Annotated[str, BeforeValidator(_text(100))]
Day = Annotated[date, BeforeValidator(_day)]
When = Annotated[Told, BeforeValidator(_moment)]
Flag = Annotated[bool, BeforeValidator(_flag)]
Reference = Annotated[str, BeforeValidator(_form(r"[A-Z0-9][A-Z0-9/._-]{0,39}"))]
Claimed = Annotated[str, BeforeValidator(_text(40))]
"""An identifier as claimed: what is wrong with it is a finding and no fault."""


class Detention(BaseModel):
    """Which detention a record is about. A custody number is unique within its force."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    force_code: Annotated[str, BeforeValidator(_force)]
    custody_number: Annotated[str, BeforeValidator(_form(r"[A-Z0-9][A-Z0-9/._-]{0,29}"))]
    pnc_id: Claimed | None = None


class Form(Detention):
    """What stands on every form: where the person is held, who it is, and which form of which version.

    A form's reference is unique within its custody record. `version` counts what the force has said of one test or one
    requirement, over all its forms: RA1 is 1, the RA2 that varies it is 2.
    """

    happened: ClassVar[str]
    """The field that says when what the form tells of happened."""

    station_code: Annotated[str, BeforeValidator(_form(r"[A-Z0-9]{2}"))]
    arrested_at: When | None = None
    trigger_offence: Flag | None = None
    surname: Line
    forenames: Line | None = None
    date_of_birth: Day
    sex: Annotated[Sex, BeforeValidator(_coded(SEXES))] | None = None
    cro_number: Claimed | None = None
    asn: Claimed | None = None
    address_1: Line | None = None
    address_2: Line | None = None
    address_3: Line | None = None
    address_4: Line | None = None
    postcode: Claimed | None = None
    no_fixed_abode: Flag = False
    form_id: Reference
    version: Annotated[int, BeforeValidator(_number)] | None = None
    status: Annotated[FormStatus, BeforeValidator(_coded(FORM_STATUSES))] = FormStatus.CURRENT

    @field_validator("date_of_birth")
    @classmethod
    def _born_between_1900_and_now(cls, day: date, info: ValidationInfo) -> date:
        if not FIRST_BIRTH <= day <= _received(info).date():
            raise Broken("CU-015")
        return day

    @field_validator("arrested_at", "tested_at", "given_at", check_fields=False)
    @classmethod
    def _not_in_the_future(cls, told: Told | None, info: ValidationInfo) -> Told | None:
        if told is not None and told.moment.at > _received(info) + CLOCK_TOLERANCE:
            raise Broken("CU-019")
        return told


class DrugTest(Form):
    """DT1: a drug test on arrest or charge.

    Where a laboratory confirms one drug and not the other, the force corrects the other's result and the test stands;
    NOT_CONFIRMED takes back the whole test.
    """

    happened: ClassVar[str] = "tested_at"

    trigger_offence: Flag
    test_reason: Annotated[TestReason, BeforeValidator(_coded(TEST_REASONS))]
    tested_at: When
    result_cocaine: Annotated[DrugResult, BeforeValidator(_coded(RESULTS))] | None = None
    result_opiates: Annotated[DrugResult, BeforeValidator(_coded(RESULTS))] | None = Field(None, validate_default=True)
    disputed: Flag = False
    laboratory: Annotated[Laboratory, BeforeValidator(_coded(LABORATORY))] | None = None
    assessment_required: Flag = False
    due_at: When | None = None

    @field_validator("tested_at")
    @classmethod
    def _tested_after_the_arrest(cls, told: Told, info: ValidationInfo) -> Told:
        arrested = info.data.get("arrested_at")
        if arrested is not None and told.moment.at < arrested.moment.at:
            raise Broken("CU-032")
        return told

    @field_validator("result_opiates")
    @classmethod
    def _some_result(cls, result: DrugResult | None, info: ValidationInfo) -> DrugResult | None:
        # A cocaine result that could not be read is absent from info.data and has its own fault already.
        if result is None and info.data.get("result_cocaine", result) is None and "result_cocaine" in info.data:
            raise Broken("CU-030")
        return result

    @field_validator("due_at")
    @classmethod
    def _due_after_the_test(cls, told: Told | None, info: ValidationInfo) -> Told | None:
        return _due_after(told, info.data.get("tested_at"))


class Notice(Form):
    """What every notice of an assessment says."""

    happened: ClassVar[str] = "given_at"

    given_at: When
    due_at: When
    place: Annotated[str, BeforeValidator(_text(200))]
    warning_given: Flag

    @field_validator("due_at")
    @classmethod
    def _due_after_the_notice(cls, told: Told, info: ValidationInfo) -> Told | None:
        return _due_after(told, info.data.get("given_at"))


class InitialRequired(Notice):
    """RA1: an initial assessment is required."""


class Varied(Notice):
    """RA2: the time or place of an assessment is changed. `form_id` is that of the form it varies."""

    assessment: Annotated[Assessment, BeforeValidator(_coded(ASSESSMENTS))]


class Attended(Form):
    """RA3: what became of the appointment at `due_at`. `form_id` is that of the form that required it."""

    happened: ClassVar[str] = "due_at"

    assessment: Annotated[Assessment, BeforeValidator(_coded(ASSESSMENTS))]
    due_at: When
    attendance: Annotated[Attendance, BeforeValidator(_coded(ATTENDANCES))]

    @field_validator("due_at")
    @classmethod
    def _over_by_now(cls, told: Told, info: ValidationInfo) -> Told:
        if told.moment.at > _received(info) + CLOCK_TOLERANCE:
            raise Broken("CU-019")
        return told


class FollowUpRequired(Notice):
    """RA4: a follow-up assessment is required."""


class FollowUpCeased(Form):
    """RA5: the follow-up is no longer required. `form_id` is that of the RA4."""

    happened: ClassVar[str] = "given_at"

    given_at: When
    cease_reason: Annotated[CeaseReason, BeforeValidator(_coded(CEASE_REASONS))]


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

COLUMNS: Final = ("form_type", *dict.fromkeys(name for form in FORMS.values() for name in form.model_fields))
"""Every field there is, in the order of the contract."""

REQUIRED_COLUMNS: Final = ("form_type", *(name for name, field in Form.model_fields.items() if field.is_required()))
"""The columns no file can do without."""


def _received(info: ValidationInfo) -> datetime:
    """When the record reached us: the only clock there is."""
    return cast("dict[str, datetime]", info.context)["received"]


def _due_after(told: Told | None, notice: Told | None) -> Told | None:
    if told is not None and notice is not None and told.moment.at < notice.moment.at:
        raise Broken("CU-031")
    return told
