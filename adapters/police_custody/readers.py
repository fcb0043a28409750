"""What a custody record's fields may hold: text as it was written, read into what it means.

Each reader takes a field's text and gives its value, or raises Broken with the rule that the text breaks.
"""

import re
from collections.abc import Callable
from datetime import date
from typing import Final, TypeVar

from adapters.base import CodeTable, UnknownCode
from adapters.local_time import Told, read_day, read_moment
from adapters.police_custody.codes import FORCES_RENAMED
from adapters.police_custody.faults import Broken, code_detail, shape
from adapters.police_custody.lines import one_line

Meaning = TypeVar("Meaning")

_FLAGS: Final = {"Y": True, "N": False}


def text(longest: int) -> Callable[[str], str]:
    """A reader of free text: one line, without control characters, of at most so many characters (CU-011)."""

    def read(written: str) -> str:
        line = one_line(written)
        if line is None:
            raise Broken("CU-011")
        if len(line) > longest:
            raise Broken("CU-011", f"{len(line)} characters of at most {longest}")
        return line

    return read


def reference(pattern: str) -> Callable[[str], str]:
    """A reader of a reference that has a form of its own (CU-012). Spaces and lower case are no faults."""
    whole = re.compile(pattern, re.ASCII).fullmatch

    def read(written: str) -> str:
        if whole(written):
            return written
        bare = written.replace(" ", "").upper()
        if whole(bare) is None:
            raise Broken("CU-012", shape(written))
        return bare

    return read


def coded(table: CodeTable[Meaning]) -> Callable[[str], Meaning]:
    """A reader of a code of this table (CU-020)."""

    def read(written: str) -> Meaning:
        if (meaning := table.get(written)) is not None:
            return meaning
        try:
            return table[written.strip().upper()]
        except UnknownCode as unknown:
            raise Broken("CU-020", code_detail(unknown)) from None

    return read


def day(written: str) -> date:
    """A day (CU-014)."""
    read = read_day(written.strip())
    if read is None:
        raise Broken("CU-014", shape(written))
    return read


def moment(written: str) -> Told:
    """A date and time (CU-016)."""
    told = read_moment(written.strip())
    if told is None:
        raise Broken("CU-016", shape(written))
    return told


def flag(written: str) -> bool:
    """Y or N (CU-012)."""
    said = _FLAGS.get(written)
    if said is None and (said := _FLAGS.get(written.strip().upper())) is None:
        raise Broken("CU-012", shape(written))
    return said


_two_digits: Final = reference(r"[0-9]{2}")
_nine_digits: Final = reference(r"[0-9]{1,9}")


def force(written: str) -> str:
    """A police force's code, under the number the force has now (CU-012)."""
    code = _two_digits(written)
    return FORCES_RENAMED.get(code, code)


def number(written: str) -> int:
    """A whole number of at most nine digits (CU-012)."""
    return int(_nine_digits(written))
