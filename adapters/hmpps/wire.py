"""How HMPPS messages are spelled: the fields all of them have, and types of fields of their own."""

import re
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AliasChoices, BaseModel, BeforeValidator
from pydantic.fields import FieldInfo

from adapters.drift import shape_within
from adapters.json_fields import Text, Wire, empty_is_absent, malformed

_NUMBER = re.compile(r"0*([0-9]{1,18})", re.ASCII)


def _number(value: Any) -> Any:
    """One spelling for one number of a source's own: it comes as 1730021, "1730021" and "0001730021"."""
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if text is None:
        return None
    match = _NUMBER.fullmatch(text.strip()) if isinstance(text, str) else None
    if match is None:
        raise malformed()
    return match[1]


def _version(value: Any) -> Any:
    """The version of the message as text, whether it came as 1, 1.0, "1" or "1.0"."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise malformed()
    return str(value).removesuffix(".0")


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
