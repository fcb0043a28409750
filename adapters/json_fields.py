"""What records in JSON are made of, whoever sends them: the base of their models, types of fields, and their faults.

A field that may be absent may be empty or null as well. Each type refuses with a fault that quotes nothing. Records
that are one flat list of values have theirs in `adapters/fields.py`.
"""

from collections.abc import Iterator
from datetime import date
from typing import Annotated, Any

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainValidator,
    StringConstraints,
    ValidationError,
)
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

from adapters.base import HIGHEST_VERSION, Finding, Rule
from adapters.local_time import Told, day_moment, read_day, read_moment


class Wire(BaseModel):
    """The base of every wire model: spelled in camel case, tolerant of fields it does not know, silent on values."""

    model_config = ConfigDict(
        frozen=True, extra="ignore", hide_input_in_errors=True, alias_generator=to_camel, arbitrary_types_allowed=True
    )


def malformed() -> PydanticCustomError:
    """A value that has not the form of its field, to be raised by a validator."""
    return PydanticCustomError("malformed", "not of the form the contract gives it")


def empty_is_absent(value: Any) -> Any:
    """A field that is written and holds nothing, as one that is not there."""
    return None if isinstance(value, str) and not value.strip() else value


def _day(value: Any) -> date:
    day = read_day(value) if isinstance(value, str) else None
    if day is None:
        raise malformed()
    return day


def _maybe_day(value: Any) -> date | None:
    return value if value is None or isinstance(value, date) else _day(value)


def _told(value: Any) -> Told:
    told = read_moment(value) if isinstance(value, str) else None
    if told is None:
        raise malformed()
    return told


def _told_or_day(value: Any) -> Told:
    day = read_day(value) if isinstance(value, str) else None
    return Told.of(day_moment(day)) if day is not None else _told(value)


Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]
MaybeText = Annotated[Text | None, BeforeValidator(empty_is_absent)]
Day = Annotated[date, PlainValidator(_day)]
"""A day, CCYY-MM-DD."""
MaybeDay = Annotated[date | None, BeforeValidator(_maybe_day), BeforeValidator(empty_is_absent)]
Instant = Annotated[Told, PlainValidator(_told)]
"""An instant, with or without a zone."""
InstantOrDay = Annotated[Told, PlainValidator(_told_or_day)]
RecordVersion = Annotated[int, Field(strict=True, ge=1, le=HIGHEST_VERSION)]
"""A whole number from 1 that counts what was said of one thing."""


def faults(error: ValidationError, missing: Rule, otherwise: Rule, *under: str) -> Iterator[Finding]:
    """What is wrong with a record, by rule and field: `missing`, and `otherwise` for whatever else is wrong.

    under: where the part that was read stands in the record.
    """
    for fault in error.errors(include_input=False, include_context=False, include_url=False):
        rule = missing if fault["type"] == "missing" else otherwise
        yield Finding(rule, ".".join(str(part) for part in (*under, *fault["loc"])))
