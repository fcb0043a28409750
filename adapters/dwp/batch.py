"""The benefit extract as a file: a header, a detail for each award, and a trailer that counts them.

Most of the department's extracts are made on a mainframe. What leaves it is either text in ISO 8859-1 with a record on
each line, or the records as they stand there: one after the other without an end, in an EBCDIC code page. Which of the
two an installation gets is agreed once, because a file in another code page can look right in all but its accents.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache, partial
from typing import BinaryIO, Final

from adapters.base import FileRefused, Finding, Numbered, Row
from adapters.dwp import rules
from adapters.dwp.layout import DETAIL, HEADER, LENGTH, TRAILER, VERSION, fields
from adapters.local_time import LONDON

MEDIA_TYPE: Final = "text/plain"
USUAL: Final = "iso-8859-1"

_LONGEST: Final = 8 * LENGTH
"""Bytes of a line from which it is no record with something too much in it, but no record at all."""

_FEED = re.compile(r"[A-Z0-9]{1,8}", re.ASCII)
_SEQUENCE = re.compile(r"[0-9]{6}", re.ASCII)
_CREATED = re.compile(r"[0-9]{14}", re.ASCII)
_COUNT = re.compile(r"[0-9]{8}", re.ASCII)
_END_OF_FILE = "\x1a"
"""What some transfers append."""


@dataclass(frozen=True, slots=True)
class Record:
    """One record of a file: its bytes as they stood there, its line end included, and its text."""

    raw: bytes
    text: str


@dataclass(frozen=True, slots=True)
class Header:
    """What a header tells. created: as CCYYMMDDhhmmss, which orders files of every feed; made: the same, in London."""

    record: Record
    feed: str
    sequence: int
    created: int
    made: datetime


Records = Callable[[BinaryIO], Iterator[Record]]


def rows(records: Records, file: BinaryIO) -> Iterator[Row]:
    """Cut a file into records of the header and one detail each, in the memory of one record.

    Raises FileRefused where the file is none of this layout, is cut short, or does not hold what its trailer counts;
    the last two after rows were yielded.
    """
    read = records(file)
    header = _header(next(read, None))
    number = 0
    trailer: dict[str, str] | None = None
    for record in read:
        if trailer is not None or record.text.startswith(HEADER):
            raise FileRefused(Finding(rules.AFTER_TRAILER, "file"))
        if record.text.startswith(TRAILER):
            trailer = fields(record.text)
            continue
        number += 1
        yield Row(number, header.record.raw + record.raw, MEDIA_TYPE)
    if trailer is None:
        raise FileRefused(Finding(rules.CUT_SHORT, "file", f"{number} details and no trailer"))
    _agrees(trailer, header, number)


def numbered(records: Records, file: BinaryIO) -> Numbered:
    """Which file of which feed this is. Raises FileRefused for a file without a header."""
    header = _header(next(records(file), None))
    return Numbered(header.feed, header.sequence)


def read_row(records: Records, file: BinaryIO) -> tuple[Header, Record] | Finding:
    """The header and the detail of one record, or why it is not that."""
    try:
        read = list(records(file))
        if len(read) == 2 and read[1].text.startswith(DETAIL):
            return _header(read[0]), read[1]
    except FileRefused as refused:
        return refused.finding
    return Finding(rules.NOT_ONE_DETAIL, "record")


# --- What the records say of their file ------------------------------------------------------------------------------


@lru_cache(maxsize=64)
def _header(record: Record | None) -> Header:
    """What a header tells; every row of a file brings it along. Raises FileRefused."""
    if record is None or not record.text.startswith(HEADER):
        raise FileRefused(Finding(rules.HEADER_WRONG, "header", "no header" if record else "nothing in it"))
    told = fields(record.text)
    if told["layout"] != VERSION:
        raise FileRefused(Finding(rules.HEADER_WRONG, "header.layout"))
    for name, form in (("feed", _FEED), ("sequence", _SEQUENCE), ("created", _CREATED)):
        if form.fullmatch(told[name]) is None:
            raise FileRefused(Finding(rules.HEADER_WRONG, f"header.{name}"))
    try:
        made = datetime.fromisoformat(f"{told['created'][:8]}T{told['created'][8:]}").replace(tzinfo=LONDON)
    except ValueError:
        raise FileRefused(Finding(rules.HEADER_WRONG, "header.created")) from None
    return Header(record, told["feed"], int(told["sequence"]), int(told["created"]), made)


def _agrees(trailer: Mapping[str, str], header: Header, number: int) -> None:
    """Raises FileRefused where the trailer does not speak of this file."""
    if (trailer["feed"], trailer["sequence"]) != (header.feed, f"{header.sequence:06}"):
        raise FileRefused(Finding(rules.TRAILER_OF_ANOTHER, "trailer"))
    if _COUNT.fullmatch(trailer["count"]) is None:
        raise FileRefused(Finding(rules.COUNT_WRONG, "trailer.count", "no count of eight digits"))
    if int(trailer["count"]) != number:
        raise FileRefused(Finding(rules.COUNT_WRONG, "trailer.count", f"{int(trailer['count'])} said, {number} found"))


# --- Bytes to records ------------------------------------------------------------------------------------------------


def lines(file: BinaryIO) -> Iterator[Record]:
    """Records on lines of their own, in ISO 8859-1. Blank lines are none, and lost trailing spaces are given back."""
    first = True
    while raw := file.readline(_LONGEST):
        if first:
            _foreign_beginning(raw)
            first = False
        bare = raw.rstrip(b"\r\n")
        if len(raw) == _LONGEST and not raw.endswith(b"\n"):
            raise FileRefused(Finding(rules.TOO_LONG, "file"))
        if not bare.isascii() and _is_utf8(bare):
            raise FileRefused(Finding(rules.CODE_PAGE_WRONG, "file", "UTF-8"))
        text = _printable(bare.decode(USUAL))
        if text.strip():
            yield Record(raw, text.rstrip().ljust(LENGTH))


def blocks(code_page: str, file: BinaryIO) -> Iterator[Record]:
    """Records one after the other, without an end, in an EBCDIC code page."""
    while raw := file.read(LENGTH):
        text = raw.decode(code_page)
        if text.startswith(HEADER.encode("ascii").decode(code_page)):
            raise FileRefused(Finding(rules.CODE_PAGE_WRONG, "file", "not EBCDIC"))
        text = _printable(text)
        if len(raw) < LENGTH and text.strip():
            raise FileRefused(Finding(rules.CUT_SHORT, "file", "the last record is not whole"))
        if text.strip():
            yield Record(raw, text)


CODE_PAGES: Final[Mapping[str, Records]] = {
    USUAL: lines,
    **{code_page: partial(blocks, code_page) for code_page in ("cp037", "cp500", "cp1140")},
}
"""How records are read, by the code page that was agreed.

The British EBCDIC pages (285, and 1146 with the euro) are not among Python's. They write every letter, digit, space,
full stop, hyphen and apostrophe as 037 does, and differ in signs no field of this layout holds, so cp037 reads them.
"""


def _foreign_beginning(raw: bytes) -> None:
    """Raises FileRefused for a file that shows by its first bytes that it is in another code page."""
    for beginning, name in ((b"\xef\xbb\xbf", "UTF-8"), (b"\xff\xfe", "UTF-16"), (b"\xfe\xff", "UTF-16")):
        if raw.startswith(beginning):
            raise FileRefused(Finding(rules.CODE_PAGE_WRONG, "file", name))
    if raw.startswith(HEADER.encode("cp037")):
        raise FileRefused(Finding(rules.CODE_PAGE_WRONG, "file", "EBCDIC"))


def _is_utf8(line: bytes) -> bool:
    """Whether these are UTF-8's longer characters: in ISO 8859-1 they would be signs that stand in no name."""
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _printable(text: str) -> str:
    """The text, with every kind of space as one. Raises FileRefused for characters that no name can hold."""
    text = text.replace("\u00a0", " ").removesuffix(_END_OF_FILE)
    if not text.isprintable():
        raise FileRefused(Finding(rules.CODE_PAGE_WRONG, "file", "control characters"))
    return text
