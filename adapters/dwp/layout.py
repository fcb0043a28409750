"""The fixed-width layout: what stands where in a record of 120 characters. `contracts/inbound/dwp` publishes it.

No layout of a benefit extract is public. This one is ours: the fields are those the department's own provider guidance
names, and header, detail and trailer with a count follow the idiom of the criminal justice file specification.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Final

LENGTH: Final = 120
"""Characters of every record, its type included."""

VERSION: Final = "01"

HEADER: Final = "H"
DETAIL: Final = "D"
TRAILER: Final = "T"


@dataclass(frozen=True, slots=True)
class Field:
    """One field: its name, and its first and last character as people count them, from 1."""

    name: str
    first: int
    last: int


def _laid_out(*fields: tuple[str, int]) -> tuple[Field, ...]:
    """Fields one after the other, each of its length. Raises ValueError where they do not fill a record."""
    ends = list(accumulate((length for _, length in fields), initial=0))
    if ends[-1] != LENGTH:
        raise ValueError(f"the fields fill {ends[-1]} characters of {LENGTH}")
    return tuple(
        Field(name, before + 1, end) for (name, _), before, end in zip(fields, ends[:-1], ends[1:], strict=True)
    )


LAYOUTS: Final[Mapping[str, Sequence[Field]]] = {
    HEADER: _laid_out(("type", 1), ("feed", 8), ("sequence", 6), ("created", 14), ("layout", 2), ("filler", 89)),
    DETAIL: _laid_out(
        ("type", 1),
        ("nino", 9),
        ("surname", 35),
        ("forename", 35),
        ("date_of_birth", 8),
        ("sex", 1),
        ("benefit", 4),
        ("action", 1),
        ("effective", 8),
        ("reason", 2),
        ("office", 6),
        ("postcode", 8),
        ("marker", 1),
        ("filler", 1),
    ),
    TRAILER: _laid_out(("type", 1), ("feed", 8), ("sequence", 6), ("count", 8), ("filler", 97)),
}
"""The fields of a record, by its type, which is its first character."""


_CUTS: Final = {
    kind: [(field.name, slice(field.first - 1, field.last)) for field in layout] for kind, layout in LAYOUTS.items()
}


def fields(record: str) -> dict[str, str]:
    """What stands in each field, without the spaces around it. Raises KeyError for a record of no type of ours."""
    return {name: record[where].strip() for name, where in _CUTS[record[:1]]}
