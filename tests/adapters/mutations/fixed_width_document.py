"""A header and one detail of a fixed-width extract as a document."""

from collections.abc import Sequence

from adapters.dwp.layout import LAYOUTS, LENGTH, Field
from tests.adapters.mutations.mutation import UNHEARD_OF, Mutation

_CODE_PAGE = "iso-8859-1"


class FixedWidthDocument:
    """Two records, each field that holds a value a field: "header.sequence", "detail.surname".

    Fields have no names here, so none can be renamed. One that is dropped lets all that follow slip to the left; one
    in another order has changed places with the next.
    """

    def __init__(self, body: bytes) -> None:
        self._records = [line.ljust(LENGTH) for line in body.decode(_CODE_PAGE).splitlines()]
        self._where = {
            f"{record}.{field.name}": (line, field)
            for line, record in enumerate(("header", "detail"))
            for field in LAYOUTS[self._records[line][0]]
            if _cut(self._records[line], field).strip()
        }

    def fields(self) -> list[str]:
        return list(self._where)

    def mutated(self, field: str, mutation: Mutation) -> bytes | None:
        line, at = self._where[field]
        record = self._records[line]
        before, value, after = record[: at.first - 1], _cut(record, at), record[at.last :]
        width = len(value)
        match mutation:
            case Mutation.DROP:
                changed = before + after
            case Mutation.RENAME:
                return None
            case Mutation.RETYPE:
                changed = before + '{"value": "'[:width].ljust(width) + after
            case Mutation.NULL:
                changed = before + " " * width + after
            case Mutation.NEW_CODE:
                changed = before + UNHEARD_OF[:width].ljust(width) + after
            case Mutation.EXTRA:
                changed = f"{record}of no meaning here"
            case Mutation.ENCODING:
                changed = before + value.strip()[: width - 2] + "é".encode().decode(_CODE_PAGE) + after
            case Mutation.ORDER:
                changed = _swapped(record, at, LAYOUTS[record[0]])
        lines = [changed if number == line else other for number, other in enumerate(self._records)]
        return "".join(f"{text}\n" for text in lines).encode(_CODE_PAGE)


def _cut(record: str, field: Field) -> str:
    return record[field.first - 1 : field.last]


def _swapped(record: str, at: Field, layout: Sequence[Field]) -> str:
    place = layout.index(at)
    if place + 1 == len(layout):
        return record
    after = layout[place + 1]
    return record[: at.first - 1] + _cut(record, after) + _cut(record, at) + record[after.last :]
