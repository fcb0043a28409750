"""What a record says besides its contract: left out, and told, so that nobody sends a field in vain.

It is told of contracts of our own, where every field is listed. In messages made for others fields nobody reads are the
rule, and nothing is said of them.
"""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, Final, get_args

from pydantic import BaseModel

from adapters.base import Finding, Level, Rule

BESIDES: Final = Rule(
    "FD-001",
    Level.WARN,
    "A field that is not in the contract stands in the record and was left out",
    "Nothing to do for a new field; check the spelling if it was meant to be one of the contract's.",
)

RULES: Final[Mapping[str, Rule]] = {BESIDES.id: BESIDES}

_TOP: Final = "record"


def besides(
    shape: type[BaseModel], told: Mapping[str, Any], also: frozenset[str] = frozenset(), under: str = ""
) -> Iterator[Finding]:
    """A finding for each part of the record that holds more than its shape names.

    also: what is read of the whole beside its shape (the name of the message). The finding says in which part it
    stands, and never its name: a name may be anything.
    """
    names, parts = _read_of(shape)
    if not names.issuperset(told) and told.keys() - names - also:
        yield Finding(BESIDES, under or _TOP)
    for name, inner in parts:
        value = told.get(name)
        for part in value if isinstance(value, list) else [value]:
            if isinstance(part, dict):
                yield from besides(inner, part, under=f"{under}.{name}" if under else name)


@cache
def _read_of(shape: type[BaseModel]) -> tuple[frozenset[str], tuple[tuple[str, type[BaseModel]], ...]]:
    """The names a shape reads, and which of them hold a shape of their own."""
    fields = {field.alias or name: field for name, field in shape.model_fields.items()}
    within = ((name, shape_within(field.annotation)) for name, field in fields.items())
    return frozenset(fields), tuple((name, inner) for name, inner in within if inner is not None)


def shape_within(annotation: Any) -> type[BaseModel] | None:
    """The model a field holds, alone, perhaps, or many times."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((shape for part in get_args(annotation) if (shape := shape_within(part))), None)
