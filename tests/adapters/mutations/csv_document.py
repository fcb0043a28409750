"""A header and one row of CSV as a document."""

import csv
import io
from typing import Final

from tests.adapters.mutations.mutation import STRAY, UNHEARD_OF, Mutation

_MARK: Final = "@stray@"


class CsvDocument:
    """A row, each column that has a value in it a field."""

    def __init__(self, body: bytes) -> None:
        header, row = csv.reader(io.StringIO(body.decode(), newline=""))
        self._columns = list(zip(header, row, strict=True))

    def fields(self) -> list[str]:
        return [name for name, value in self._columns if value]

    def mutated(self, field: str, mutation: Mutation) -> bytes | None:
        columns: list[tuple[str, str]] = []
        for name, value in self._columns:
            if name != field:
                columns.append((name, value))
                continue
            match mutation:
                case Mutation.DROP:
                    pass
                case Mutation.RENAME:
                    columns.append((f"{name}_renamed", value))
                case Mutation.RETYPE:
                    columns.append((name, f'{{"value": "{value}"}}'))
                case Mutation.NULL:
                    columns.append((name, ""))
                case Mutation.NEW_CODE:
                    columns.append((name, UNHEARD_OF))
                case Mutation.EXTRA:
                    columns += [(name, value), ("unheard_of", "of no meaning here")]
                case Mutation.ENCODING:
                    columns.append((name, f"{value}{_MARK}"))
                case Mutation.ORDER:
                    columns.append((name, value))
        if mutation is Mutation.ORDER:
            columns.reverse()
        written = io.StringIO(newline="")
        csv.writer(written).writerows(zip(*columns, strict=True))
        return written.getvalue().encode().replace(_MARK.encode(), STRAY)
