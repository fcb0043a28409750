"""From fields as text to a shape that declares how each is read: one pass, and every fault of it named by its rule.

A shape is a dataclass. Each of its fields has its reader beside its type, and after that what else it must satisfy:

    given_at: Annotated[Told, moment, not_in_the_future]

A field with a default may be absent; an empty one is absent. What the readers give is validated where it is published,
as part of an event; a model here would do it twice, and would keep the right values of a faulty record to itself, which
checks of other fields need.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, fields
from datetime import datetime
from functools import cache
from typing import Annotated, Any, Final, NamedTuple, get_args, get_origin, get_type_hints

from adapters.base import Finding
from adapters.local_time import Told
from adapters.police_custody.faults import Broken, found

REQUIRED: Final = MISSING
"""What stands for the default of a field that has none."""


class Known(NamedTuple):
    """What is known of a record before a field of it is read.

    received: when the record reached us, the only clock there is. arrested: when the person was, where that is told.
    """

    received: datetime
    arrested: Told | None = None


Check = Callable[[Any, Mapping[str, Any], Known], None]
"""Raises Broken where a value cannot be beside the values of the fields before it, the unreadable left out.

It is also asked of the default of a field that is absent.
"""


class Field(NamedTuple):
    """A field of a shape: its name, its reader, its default (REQUIRED for none), what is checked of its value."""

    name: str
    read: Callable[[str], Any]
    default: Any
    checks: tuple[Check, ...]


@cache
def fields_of(shape: type) -> tuple[Field, ...]:
    """The fields of a shape, in the order they are declared."""
    hints = get_type_hints(shape, include_extras=True)
    return tuple(_field(one.name, hints[one.name], one.default) for one in fields(shape))


def names_of(shape: type) -> frozenset[str]:
    """The names of a shape's fields."""
    return frozenset(field.name for field in fields_of(shape))


def _field(name: str, hint: Any, default: Any) -> Field:
    if get_origin(hint) is not Annotated:
        raise TypeError(f"{name} has no reader")
    _, read, *checks = get_args(hint)
    return Field(name, read, default, tuple(checks))


class Reading(NamedTuple):
    """What became of a shape's fields: the values of those that are right or absent, and the faults of the others."""

    values: dict[str, Any]
    faults: list[Finding]


def read(declared: Iterable[Field], given: Mapping[str, str], known: Known) -> Reading:
    """Read the declared fields from those given, none of which is empty."""
    values: dict[str, Any] = {}
    faults: list[Finding] = []
    for name, reader, default, checks in declared:
        written = given.get(name)
        try:
            if written is not None:
                value = reader(written)
            elif default is REQUIRED:
                raise Broken("CU-010")
            else:
                value = default
            for check in checks:
                check(value, values, known)
        except Broken as broken:
            faults.append(found(broken.rule, name, broken.detail))
        else:
            values[name] = value
    return Reading(values, faults)
