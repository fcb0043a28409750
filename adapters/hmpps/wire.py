"""How HMPPS messages are spelled: the fields all of them have, and the types of single fields."""

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import Annotated, Any

from pydantic import (
    AliasChoices,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    PlainValidator,
    StringConstraints,
    ValidationError,
)
from pydantic.alias_generators import to_camel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticCustomError

from adapters.base import Finding, Rule
from adapters.drift import shape_within
from adapters.local_time import Told, day_moment, read_day, read_moment

_NUMBER = re.compile(r"0*([0-9]{1,18})", re.ASCII)


class Wire(BaseModel):
    """The base of every wire model: spelled in camel case, tolerant of fields it does not know, silent on values."""

    model_config = ConfigDict(
        frozen=True, extra="ignore", hide_input_in_errors=True, alias_generator=to_camel, arbitrary_types_allowed=True
    )


def _malformed() -> PydanticCustomError:
    return PydanticCustomError("malformed", "not of the form the contract gives it")


def empty_is_absent(value: Any) -> Any:
    """A field that is written and holds nothing, as one that is not there."""
    return None if isinstance(value, str) and not value.strip() else value


def _day(value: Any) -> Any:
    if value is None or isinstance(value, date):
        return value
    day = read_day(value) if isinstance(value, str) else None
    if day is None:
        raise _malformed()
    return day


def _told(value: Any) -> Told:
    told = read_moment(value) if isinstance(value, str) else None
    if told is None:
        raise _malformed()
    return told


def _told_or_day(value: Any) -> Told:
    day = read_day(value) if isinstance(value, str) else None
    return Told(day_moment(day)) if day is not None else _told(value)


def _number(value: Any) -> Any:
    """One spelling for one number of a source's own: it comes as 1730021, "1730021" and "0001730021"."""
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if text is None:
        return None
    match = _NUMBER.fullmatch(text.strip()) if isinstance(text, str) else None
    if match is None:
        raise _malformed()
    return match[1]


def _version(value: Any) -> Any:
    """The version of the message as text, whether it came as 1, 1.0, "1" or "1.0"."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise _malformed()
    return str(value).removesuffix(".0")


Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]
MaybeText = Annotated[Text | None, BeforeValidator(empty_is_absent)]
Day = Annotated[date | None, BeforeValidator(_day), BeforeValidator(empty_is_absent)]
Instant = Annotated[Told, PlainValidator(_told)]
InstantOrDay = Annotated[Told, PlainValidator(_told_or_day)]
Number = Annotated[str | None, BeforeValidator(_number), BeforeValidator(empty_is_absent)]
MessageVersion = Annotated[str, BeforeValidator(_version)]


class PersonIdentifier(Wire):
    """One of the identifiers of a personReference."""

    type: Text
    value: Text


class PersonReference(Wire):
    """Whom an event is about."""

    identifiers: tuple[PersonIdentifier, ...] = ()


def named(shape: type[BaseModel], told: Mapping[str, Any]) -> dict[str, Any]:
    """What of an answer its shape names, as it was written, at every depth; whatever else it says is left behind."""
    kept: dict[str, Any] = {}
    for name, field in shape.model_fields.items():
        inner = shape_within(field.annotation)
        for spelling in _spellings(name, field):
            if spelling in told:
                value = told[spelling]
                kept[spelling] = value if inner is None else _each(inner, value)
    return kept


def _each(shape: type[BaseModel], value: Any) -> Any:
    if isinstance(value, dict):
        return named(shape, value)
    return [_each(shape, one) for one in value] if isinstance(value, list) else value


def _spellings(name: str, field: FieldInfo) -> tuple[str, ...]:
    """The names a field may come under."""
    alias = field.validation_alias
    if isinstance(alias, AliasChoices):
        return tuple(choice for choice in alias.choices if isinstance(choice, str))
    return (alias if isinstance(alias, str) else field.alias or name,)


def faults(error: ValidationError, missing: Rule, malformed: Rule, *under: str) -> Iterator[Finding]:
    """What is wrong with a message, by rule and field. `under` is where the message stands in the record."""
    for fault in error.errors(include_input=False, include_context=False, include_url=False):
        yield Finding(missing if fault["type"] == "missing" else malformed, _path((*under, *fault["loc"])))


def _path(parts: Iterable[str | int]) -> str:
    return ".".join(str(part) for part in parts)
