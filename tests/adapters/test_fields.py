"""The types of fields: what each takes, and that what it does not take is quoted nowhere."""

from datetime import UTC, date, datetime
from typing import Annotated, Any

import pytest
from pydantic import TypeAdapter, ValidationError

from adapters import fields
from adapters.fields import Unmapped, coded, spelling
from schemas.base import Name, Precision, Sex

SexCode = Annotated[Sex, coded("fields_test.sex", {"M": Sex.MALE})]


def read(kind: Any, value: object) -> Any:
    """A value as a field of this type holds it. Raises ValidationError."""
    return TypeAdapter(kind).validate_python(value)


@pytest.mark.parametrize(
    ("kind", "value", "read_as"),
    [
        (fields.Text, " 9 Mill Row ", "9 Mill Row"),
        (fields.Day, "2026-02-03", date(2026, 2, 3)),
        (fields.BritishDay, "03/02/2026", date(2026, 2, 3)),
        (fields.BritishBorn, "3/2/1980", date(1980, 2, 3)),
        (fields.Flag, "no", False),
        (fields.Flag, "Y", True),
        (fields.Flag, True, True),
        (fields.Version, "3", 3),
        (fields.Version, 3, 3),
        (fields.SurnameFirst, "Van der Berg , Anna Maria", Name(surname="Van der Berg", forenames="Anna Maria")),
        (SexCode, "M", Sex.MALE),
        (SexCode, "m", Sex.MALE),
        (SexCode, "q", Unmapped("fields_test.sex", "q")),
        (fields.Unread, "r.quillan@example.org", None),
    ],
)
def test_what_is_of_its_form_is_read(kind: Any, value: object, read_as: object) -> None:
    """As the agency wrote it, without the spaces around it."""
    assert read(kind, value) == read_as


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (fields.Text, "x" * 501),
        (fields.Text, 12),
        (fields.Day, "03/02/2026"),
        (fields.Day, "2026-02-30"),
        (fields.BritishDay, "2026-02-03"),
        (fields.BritishDay, "03/02/26"),
        (fields.BritishDay, "02/13/2026"),
        (fields.When, "12/01/2026"),
        (fields.BritishWhen, "2026-01-12T10:20"),
        (fields.BritishWhen, "12/01/2026 25:20"),
        (fields.Flag, "perhaps"),
        (fields.Flag, 1),
        (fields.Version, "0"),
        (fields.Version, 10**30),
        (fields.Version, True),
        (fields.SurnameFirst, "Anna Berg"),
        (fields.SurnameFirst, ", Anna"),
        (fields.NhsNumber, 9990548609),
        (fields.Postcode, ["SK4 2HD"]),
        (SexCode, {"M": 1}),
    ],
)
def test_what_is_not_of_its_form_is_refused(kind: Any, value: object) -> None:
    """No day is guessed from another order, and nothing is quoted of what came."""
    with pytest.raises(ValidationError) as refused:
        read(kind, value)
    told = refused.value.errors(include_input=False, include_context=False, include_url=False)
    assert str(value) not in str(told)


@pytest.mark.parametrize(
    ("kind", "value", "told"),
    [
        (fields.Day, "03/02/2026", "write CCYY-MM-DD"),
        (fields.Day, "2026-02-30", "no day of the calendar, write CCYY-MM-DD"),
        (fields.BritishBorn, "02/13/1980", "no day of the calendar, write DD/MM/CCYY"),
        (fields.BritishBorn, "3 Feb 1980", "write DD/MM/CCYY"),
        (fields.When, "2026-13-01T10:20Z", "no day of the calendar, write CCYY-MM-DD or CCYY-MM-DDThh:mmZ"),
        (fields.BritishWhen, "12/01/2026 25:20", "write DD/MM/CCYY or DD/MM/CCYY hh:mm"),
        (fields.SurnameFirst, "Anna Berg", "write the surname, a comma and the forenames"),
    ],
)
def test_what_is_to_be_written_is_told(kind: Any, value: str, told: str) -> None:
    """A day of another order looks right by its shape, so the fault says that the calendar has none such."""
    with pytest.raises(ValidationError) as refused:
        read(kind, value)
    assert [fault["msg"] for fault in refused.value.errors()] == [told]


def test_a_name_in_either_case_is_one_of_those_known_unless_two_are_alike() -> None:
    """Nothing is guessed where the case is all that tells two codes apart."""
    assert spelling("evicted", ("EVICTED", "MOVED")) == "EVICTED"
    assert spelling("a", ("A", "a")) == "a"
    assert spelling("Ab", ("AB", "ab")) is None
    assert spelling("left", ("EVICTED", "MOVED")) is None


def test_the_day_of_a_time_is_that_of_london() -> None:
    """Half past midnight in summer is the evening before in Greenwich."""
    assert read(fields.BritishWhen, "01/07/2026 00:30").day == date(2026, 7, 1)
    assert read(fields.When, "2026-06-30T23:30:00Z").day == date(2026, 7, 1)


def test_a_british_time_is_local() -> None:
    """In summer an hour before what it would be in Greenwich; a day alone is that day's midnight."""
    told = read(fields.BritishWhen, "01/07/2026 10:20")
    assert told.moment.at == datetime(2026, 7, 1, 9, 20, tzinfo=UTC)
    assert read(fields.BritishWhen, "01/07/2026").moment.precision is Precision.DAY


@pytest.mark.parametrize(
    ("kind", "right", "value"),
    [
        (fields.NhsNumber, "999 054 8609", "9990548609"),
        (fields.Nino, "ab 12 34 56 c", "AB123456"),
        (fields.Crn, "x482713", "X482713"),
    ],
)
def test_a_number_is_kept_whether_it_is_right_or_not(kind: Any, right: str, value: str) -> None:
    """The right one in one spelling; the wrong one as it was written, with no value."""
    assert read(kind, right).value == value
    assert (read(kind, "1234X").raw, read(kind, "1234X").value) == ("1234X", None)
