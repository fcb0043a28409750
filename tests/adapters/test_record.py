"""A flat record puts together whose it is, what it is about and what is odd about it, from the types of its fields."""

from datetime import UTC, date, datetime
from typing import Annotated

from pydantic import Field

from adapters import claims
from adapters.fields import Born, Forenames, Key, NhsNumber, Nino, Part, Postcode, Surname, Version, coded
from adapters.local_time import day_moment
from adapters.record import Record, field_of, key_of, layout_of, oddities, version_of, withdrawal_of
from schemas.base import AddressKind, Moment, Name, Precision, Sex


class Entry(Record):
    """Fields in an order of their own, spelled in one of the agency's."""

    nino: Nino | None = Field(None, alias="NI no")
    nhs_number: NhsNumber | None = Field(None, alias="NHS no")
    first: Forenames | None = None
    middle: Forenames | None = None
    surname: Surname | None = Field(None, alias="Last name")
    born: Born | None = Field(None, alias="DOB")
    sex: Annotated[Sex, coded("record_test.sex", {"F": Sex.FEMALE})] | None = None
    postcode: Postcode | None = Field(None, alias="Post code")
    provider: Key
    number: Key
    version: Version | None = None
    gone: Annotated[str, coded("record_test.gone", {"E": "entered_in_error"}), Part.WITHDRAWN] | None = None


def entry(**told: object) -> Entry:
    """A record of these fields, by their spelling, about something."""
    return Entry.model_validate({"provider": "P", "number": "7", **told})


def test_the_person_is_put_together_from_the_fields_that_are_theirs() -> None:
    """Name, birth, sex, numbers in the order of the fields, and the addresses somebody made of them."""
    record = entry(**{"NI no": "AB123456C", "NHS no": "9990548609", "first": "Ann", "middle": "May", "sex": "F"})
    home = claims.address(AddressKind.MAIN, None, "9 Mill Row", start=date(2026, 1, 12))
    named = record.model_copy(update={"surname": "Larkspur", "born": date(1991, 6, 23)}).person(home, None)
    assert named.name == Name(forenames="Ann May", surname="Larkspur")
    assert (named.date_of_birth, named.sex) == (date(1991, 6, 23), Sex.FEMALE)
    assert [one.value for one in named.identifiers] == ["AB123456", "9990548609"]
    assert named.addresses == (home,)


def test_nothing_is_made_of_what_is_not_there() -> None:
    """Forenames alone are no name, and a birth date that stands for an unknown one is none."""
    assert entry(first="Ann").person().name is None
    assert entry(DOB="1970-01-01").person().date_of_birth is None


def test_what_it_is_about_stands_in_the_order_of_the_fields() -> None:
    """The key of several fields, which version of it is told, and whether it is taken back."""
    record = entry(version="3", gone="E")
    assert (key_of(record), version_of(record), withdrawal_of(record)) == (("P", "7"), 3, "entered_in_error")
    assert (version_of(entry()), withdrawal_of(entry())) == (None, None)


def test_what_is_odd_is_told_by_their_spelling() -> None:
    """Each fault of a claim has the id it has at every door."""
    told = {"NHS no": "9990548608", "Last name": "MIG_ERROR_1", "DOB": "1900-01-01", "Post code": "nowhere"}
    assert [(one.rule, one.field) for one in oddities(entry(**told))] == [
        (claims.CHECK_WRONG, "NHS no"),
        (claims.BORN_1900, "DOB"),
        (claims.POSTCODE_NOT_ONE, "Post code"),
        (claims.MARKED_MIG_ERROR, "Last name"),
    ]


def test_the_field_of_a_moment_is_told_by_its_spelling() -> None:
    """A day that is the moment by itself is found too; a moment put together from several fields is the event's."""
    assert field_of(entry(DOB="1991-06-23"), day_moment(date(1991, 6, 23))) == "DOB"
    other = Moment(at=datetime(2026, 1, 12, 10, tzinfo=UTC), precision=Precision.MINUTE)
    assert field_of(entry(DOB="1991-06-23"), other) == "event.occurred"


def test_a_layout_says_what_cannot_be_left_out() -> None:
    """By the agency's spelling."""
    layout = layout_of(Entry)
    assert layout.required == {"provider", "number"}
    assert layout.spelled["born"] == "DOB"
    assert layout.parts[Part.SEX] == ("sex",)
