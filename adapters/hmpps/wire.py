"""How HMPPS messages are spelled: the fields all of them have, and the types of single fields."""

from collections.abc import Iterable, Iterator
from datetime import date
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, PlainValidator, StringConstraints, ValidationError
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

from adapters.base import Finding, Rule
from adapters.local_time import Told, day_moment, read_day, read_moment


class Wire(BaseModel):
    """The base of every wire model: spelled in camel case, tolerant of fields it does not know, silent on values."""

    model_config = ConfigDict(
        frozen=True, extra="ignore", hide_input_in_errors=True, alias_generator=to_camel, arbitrary_types_allowed=True
    )


def malformed() -> PydanticCustomError:
    """The one fault of form, which says nothing of the value."""
    return PydanticCustomError("malformed", "not of the form the contract gives it")


def empty_is_absent(value: Any) -> Any:
    """Text of nothing but spaces stands for no text."""
    return None if isinstance(value, str) and not value.strip() else value


def _day(value: Any) -> Any:
    if value is None or isinstance(value, date):
        return value
    day = read_day(value) if isinstance(value, str) else None
    if day is None:
        raise malformed()
    return day


def _told(value: Any) -> Told:
    told = read_moment(value) if isinstance(value, str) else None
    if told is None:
        raise malformed()
    return told


def _told_or_day(value: Any) -> Told:
    day = read_day(value) if isinstance(value, str) else None
    return Told(day_moment(day)) if day is not None else _told(value)


def _version(value: Any) -> Any:
    """The version of the message as text, whether it came as 1, 1.0, "1" or "1.0"."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise malformed()
    return str(value).removesuffix(".0")


Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]
MaybeText = Annotated[Text | None, BeforeValidator(empty_is_absent)]
Day = Annotated[date | None, BeforeValidator(_day), BeforeValidator(empty_is_absent)]
Instant = Annotated[Told, PlainValidator(_told)]
InstantOrDay = Annotated[Told, PlainValidator(_told_or_day)]
MessageVersion = Annotated[str, BeforeValidator(_version)]


class PersonIdentifier(Wire):
    """One of the identifiers of a personReference."""

    type: Text
    value: Text


class PersonReference(Wire):
    """Whom an event is about."""

    identifiers: tuple[PersonIdentifier, ...] = ()


def faults(error: ValidationError, missing: Rule, malformed: Rule, *under: str) -> Iterator[Finding]:
    """What is wrong with a message, by rule and field. `under` is where the message stands in the record."""
    for fault in error.errors(include_input=False, include_context=False, include_url=False):
        yield Finding(missing if fault["type"] == "missing" else malformed, _path((*under, *fault["loc"])))


def _path(parts: Iterable[str | int]) -> str:
    return ".".join(str(part) for part in parts)
