"""CSV: a header that names the columns, and one record a row, each read alone, in memory bounded by the longest row.

Commas, quotation marks doubled within quotation marks, line ends of either kind, UTF-8 with or without a byte order
mark. A value may hold line breaks inside quotation marks. Blank lines are no records.
"""

import csv
import io
from collections.abc import Iterator
from typing import BinaryIO, Final

from adapters.base import FileRefused, Finding, Row, Rows, Rule

MEDIA_TYPE: Final = "text/csv"

_BOM: Final = b"\xef\xbb\xbf"


class NoRow(Exception):
    """What came is not a header with one row. No value is in it."""


class Uneven(Exception):
    """The row has another number of values than the header has columns. No value is in it."""

    def __init__(self, values: int, columns: int) -> None:
        super().__init__(values, columns)
        self.values = values
        self.columns = columns


def rows(required: frozenset[str], longest: int, *, header_wrong: Rule, no_end: Rule) -> Rows:
    """What cuts a file into records of the header and one row each, numbered from 1.

    required: the columns no file can do without. longest: the longest row, in bytes. A file whose header lacks a
    column or has one twice is refused by `header_wrong`; one with a row that does not end, by `no_end`.
    """

    def cut(file: BinaryIO) -> Iterator[Row]:
        lines = _Lines(file, longest, no_end)
        records = csv.reader(lines, strict=True)
        number = 0
        try:
            columns = next(records, [])
            head = lines.taken().rstrip(b"\r\n")
            if fault := _fault(columns, required):
                raise FileRefused(Finding(header_wrong, "header", fault))
            for values in records:
                body = lines.taken()
                if values:
                    number += 1
                    yield Row(number, head + b"\r\n" + body, MEDIA_TYPE)
        except csv.Error:
            raise FileRefused(Finding(no_end, "file", f"row {number + 1}")) from None

    return cut


def read_row(body: bytes) -> dict[str, str]:
    """The values of a header and one row, by column. Raises NoRow, Uneven, and UnicodeDecodeError."""
    text = body.removeprefix(_BOM).decode("utf-8")
    try:
        lines = [line for line in csv.reader(io.StringIO(text, newline=""), strict=True) if line]
    except csv.Error:
        raise NoRow from None
    if len(lines) != 2 or len(set(lines[0])) != len(lines[0]):
        raise NoRow
    if len(lines[0]) != len(lines[1]):
        raise Uneven(len(lines[1]), len(lines[0]))
    return dict(zip((name.strip() for name in lines[0]), lines[1], strict=True))


def _fault(columns: list[str], required: frozenset[str]) -> str:
    try:
        names = [name.encode("latin-1").decode("utf-8").strip() for name in columns]  # as `_Lines` has them
    except UnicodeDecodeError:
        return "not in UTF-8"
    if missing := sorted(required.difference(names)):
        return f"without {', '.join(missing)}"
    return "a column stands in it twice" if len(set(names)) != len(names) else ""


class _Lines:
    """The lines of a file as text for the csv module, and as bytes for whoever wants the record as it came.

    Neither a comma, a quotation mark nor a line end can be part of another UTF-8 character, so each byte may pass for
    a character here.
    """

    def __init__(self, file: BinaryIO, longest: int, no_end: Rule) -> None:
        self._file = file
        self._longest = longest
        self._no_end = no_end
        self._held: list[bytes] = []
        self._length = 0
        self._first = True

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._file.readline(self._longest + 1)
        if not line:
            raise StopIteration
        if self._first:
            line, self._first = line.removeprefix(_BOM), False
        self._held.append(line)
        self._length += len(line)
        if self._length > self._longest:
            raise FileRefused(Finding(self._no_end, "file"))
        return line.decode("latin-1")

    def taken(self) -> bytes:
        """What was read since it was last asked."""
        held = b"".join(self._held)
        self._held, self._length = [], 0
        return held
