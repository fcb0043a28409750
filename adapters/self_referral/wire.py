"""A self-referral as it is spelled: our own contract (self-referral.schema.json)."""

from collections.abc import Iterator
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainValidator,
    StrictBool,
    StringConstraints,
    ValidationError,
)
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

from adapters.base import HIGHEST_VERSION, Finding
from adapters.local_time import Told, day_moment, read_day, read_moment
from adapters.self_referral import rules


class Wire(BaseModel):
    """The base of every wire model: spelled in camel case, tolerant of fields it does not know, silent on values."""

    model_config = ConfigDict(
        frozen=True, extra="ignore", hide_input_in_errors=True, alias_generator=to_camel, arbitrary_types_allowed=True
    )


def _malformed() -> PydanticCustomError:
    return PydanticCustomError("malformed", "not of the form the contract gives it")


def _empty_is_absent(value: Any) -> Any:
    return None if isinstance(value, str) and not value.strip() else value


def _day(value: Any) -> date:
    day = read_day(value) if isinstance(value, str) else None
    if day is None:
        raise _malformed()
    return day


def _told(value: Any) -> Told:
    """An instant or a day."""
    if isinstance(value, str):
        day = read_day(value)
        told = Told(day_moment(day)) if day is not None else read_moment(value)
        if told is not None:
            return told
    raise _malformed()


Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]
MaybeText = Annotated[Text | None, BeforeValidator(_empty_is_absent)]
AreaId = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z-]{1,39}$")]
MaybeAreaId = Annotated[AreaId | None, BeforeValidator(_empty_is_absent)]
RecordVersion = Annotated[int, Field(strict=True, ge=1, le=HIGHEST_VERSION)]


class Asking(Wire):
    """Who asks for help, as they gave it."""

    forenames: MaybeText = None
    surname: Text
    date_of_birth: Annotated[date, PlainValidator(_day)]
    sex: MaybeText = None
    nhs_number: MaybeText = None


class Address(Wire):
    """Where the person says they live."""

    lines: tuple[Text, ...] = ()
    postcode: MaybeText = None
    no_fixed_address: StrictBool = False


class Contact(Wire):
    """How the person wants to be answered."""

    phone: MaybeText = None
    email: MaybeText = None


class SelfReferral(Wire):
    """A person asked for help at a LASARS."""

    reference: Text
    record_version: RecordVersion
    taken_at: AreaId
    taken_on: Annotated[Told, PlainValidator(_told)]
    person: Asking
    address: Address | None = None
    contact: Contact = Contact()
    stated_area: MaybeAreaId = None
    substances: tuple[Text, ...] = ()


class WithdrawnSelfReferral(Wire):
    """A self-referral that is taken back. It repeats nothing of what it takes back."""

    reference: Text
    record_version: RecordVersion
    taken_at: AreaId
    reason: Literal["entered_in_error", "person_withdrew", "duplicate"]


def faults(error: ValidationError) -> Iterator[Finding]:
    """What is wrong with a record, by rule and field."""
    for fault in error.errors(include_input=False, include_context=False, include_url=False):
        rule = rules.MISSING if fault["type"] == "missing" else rules.MALFORMED
        yield Finding(rule, ".".join(str(part) for part in fault["loc"]))
