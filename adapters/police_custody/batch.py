"""The Drugs Act record as CSV: a header, one form a row, and, if the force counts its rows, a last line that does.

The header names the columns in any order; values may hold line breaks inside quotation marks; the text is UTF-8 with or
without a byte order mark. A last line `#END,493` says how many rows the file has, and is checked; without it a file
that was cut off between two rows cannot be told from a whole one.
"""

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import BinaryIO, Final

from adapters.base import FileRefused, Finding, Row
from adapters.drift import BESIDES
from adapters.police_custody.faults import found
from adapters.police_custody.wire import COLUMNS, REQUIRED_COLUMNS

MEDIA_TYPE: Final = "text/csv"
MAX_ROW: Final = 64 * 1024

_OURS: Final = frozenset(COLUMNS)
_BOM: Final = b"\xef\xbb\xbf"
_END: Final = b"#END"
_MARK: Final = b'"'
_OPENING: Final = b',"'
_CLOSING: Final = re.compile(rb'(?:[^"]++|"")*+"')


def rows(file: BinaryIO) -> Iterator[Row]:
    """Cut a file into records of the header and one row each, in the memory of one row.

    Raises FileRefused where the header is wrong (CU-080), a row has no end (CU-083) or the last line's count does not
    hold (CU-084), the last after rows were yielded.
    """
    lines = _logical_lines(file)
    header = next(lines, b"").removeprefix(_BOM).rstrip(b"\r\n")
    if isinstance(columns := _columns(header), Finding):
        raise FileRefused(columns)
    number = 0
    counted: int | None = None
    for line in lines:
        if counted is not None:
            raise FileRefused(found("CU-084", "file", "rows after the last line"))
        if line.startswith(_END):
            counted = _count(line)
            continue
        number += 1
        yield Row(number, header + b"\r\n" + line, MEDIA_TYPE)
    if counted is not None and counted != number:
        raise FileRefused(found("CU-084", "file", f"{counted} said, {number} found"))


@dataclass(frozen=True, slots=True)
class Fields:
    """A row's values by the names of their columns, without the empty ones.

    findings: one for each column that is none of ours, by its place from 1.
    """

    fields: dict[str, str]
    findings: tuple[Finding, ...]


def read_row(body: bytes) -> Fields | Finding:
    """The fields of a header and one row, or why they cannot be told apart."""
    bare = body.removeprefix(_BOM)
    told = _two_lines(bare) or _header_and_row(bare)
    if isinstance(told, Finding):
        return told
    header, line = told
    columns = _columns(header)
    if isinstance(columns, Finding):
        return columns
    try:
        values = _cut(line.decode("utf-8"))
    except UnicodeDecodeError:
        return found("CU-082", "row")
    if values is None or len(values) != len(columns):
        return found("CU-081", "row", "" if values is None else f"{len(values)} values for {len(columns)} columns")
    named = {name: value for name, value in zip(columns, values, strict=True) if name in _OURS and value.strip()}
    return Fields(named, _strange(columns))


def _two_lines(bare: bytes) -> tuple[bytes, bytes] | None:
    """The header and the row where they are two lines, as most are; None where more of them must be looked at."""
    header, _, line = bare.rstrip(b"\r\n").partition(b"\n")
    if b"\n" in line or len(bare) > MAX_ROW or not (header.strip() and line.strip()):
        return None
    if b'"' in header or _ends_quoted(line, False):
        return None
    return header.rstrip(b"\r"), line


def _header_and_row(bare: bytes) -> tuple[bytes, bytes] | Finding:
    """The header and the row, whatever their quotation marks reach over."""
    lines = _logical_lines(io.BytesIO(bare))
    try:
        header = next(lines, b"").rstrip(b"\r\n")
        line = next(lines, b"")
        if next(lines, None) is not None:
            return found("CU-081", "row", "more than one row")
    except FileRefused as refused:
        return refused.finding
    return header, line


def _logical_lines(file: BinaryIO) -> Iterator[bytes]:
    """Lines that are not blank, each with the lines its quotation marks reach over.

    Neither a comma, a quotation mark nor a line feed can be part of another UTF-8 character, so bytes suffice.
    """
    pieces: list[bytes] = []
    length = 0
    quoted = False
    while piece := file.readline(MAX_ROW + 1):
        pieces.append(piece)
        length += len(piece)
        if length > MAX_ROW:
            raise FileRefused(found("CU-083", "file"))
        quoted = _ends_quoted(piece, quoted)
        if quoted:
            continue
        line = b"".join(pieces)
        if line.strip():
            yield line
        pieces, length = [], 0
    if pieces:
        raise FileRefused(found("CU-083", "file"))


def _ends_quoted(piece: bytes, quoted: bool) -> bool:
    """Whether a value's quotation marks are still open after this piece of its line.

    A mark opens a value only at its beginning; inside a value without marks it is a character like any other.
    """
    at = 0
    if not quoted and piece.startswith(_MARK):
        at, quoted = 1, True
    while True:
        if not quoted:
            opening = piece.find(_OPENING, at)
            if opening < 0:
                return False
            at = opening + len(_OPENING)
        closing = _CLOSING.match(piece, at)
        if closing is None:
            return True
        at, quoted = closing.end(), False


@lru_cache(maxsize=64)
def _columns(header: bytes) -> tuple[str, ...] | Finding:
    """The header's columns in order, or what is wrong with it. Names of ours may be told, others not."""
    try:
        named = _cut(header.decode("utf-8"))
    except UnicodeDecodeError:
        return found("CU-080", "header", "not UTF-8")
    columns = tuple(name.strip().lower() for name in named or ())
    if missing := [name for name in REQUIRED_COLUMNS if name not in columns]:
        return found("CU-080", "header", f"missing: {', '.join(missing)}")
    ours = [name for name in columns if name in COLUMNS]
    if len(set(ours)) < len(ours):
        return found("CU-080", "header", "a column stands twice")
    return columns


@lru_cache(maxsize=64)
def _strange(columns: tuple[str, ...]) -> tuple[Finding, ...]:
    """A column's name may be anything, so its place is told."""
    return tuple(Finding(BESIDES, f"column {place}") for place, name in enumerate(columns, 1) if name not in COLUMNS)


def _cut(line: str) -> list[str] | None:
    """A line's values, or None if its quotation marks make no sense."""
    try:
        return next(csv.reader((line,), strict=True), None)
    except csv.Error:
        return None


def _count(line: bytes) -> int:
    said = line.removeprefix(_END).strip().removeprefix(b",").strip()
    if not said.isdigit() or len(said) > 12:
        raise FileRefused(found("CU-084", "file", "no count"))
    return int(said)
