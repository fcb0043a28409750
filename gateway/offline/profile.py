"""What the fields of many records look like: how often filled, how many values, of which shapes; never a value.

Everything is counted in memory that does not grow with the records, and can be added up from parts.
"""

import hashlib
import heapq
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from typing import Final

from adapters.shapes import shape

_LEAST: Final = 1024
"""Hashes kept of a field's values: up to so many values are counted, more are estimated, to about 3 %."""
_SHAPES: Final = 60
"""Shapes counted of a field; what comes after them is counted together."""
_FIELDS: Final = 400
"""Fields looked at in all."""
_WHOLE: Final = 2**64

_RUN: Final = re.compile(r"([Aa])\1{4,}")
_ISO: Final = re.compile(r"(\d{4})-(\d{2})-(\d{2})(?:[T ].*)?", re.ASCII)
_SHORT_YEAR: Final = re.compile(r"\d{1,2}[./-]\d{1,2}[./-]\d{2}", re.ASCII)

ODD_DATES: Final = (
    "impossible",
    "in the future",
    "before 1900",
    "1900-01-01 or 1970-01-01",
    "with a year of two digits",
)


class Distinct:
    """How many different values there are: the least hashes of a sample of fixed size (k minimum values)."""

    def __init__(self) -> None:
        self._least: set[int] = set()
        self._most = _WHOLE

    def add(self, values: Iterable[str]) -> None:
        """Take in values, seen before or not."""
        self._take(
            int.from_bytes(hashlib.blake2b(value.encode("utf-8", "replace"), digest_size=8).digest(), "big")
            for value in values
        )

    def merge(self, other: "Distinct") -> None:
        """Take in all that another has seen."""
        if other._most < self._most:  # it has let go of what is greater, so this one must
            self._most = other._most
            self._least = {one for one in self._least if one <= self._most}
        self._take(other._least)

    def _take(self, hashes: Iterable[int]) -> None:
        self._least.update(one for one in hashes if one <= self._most)
        if len(self._least) > 2 * _LEAST:
            self._least = set(heapq.nsmallest(_LEAST, self._least))
            self._most = max(self._least)

    def count(self) -> tuple[int, bool]:
        """How many, and whether that is exact."""
        if self._most == _WHOLE:
            return len(self._least), True
        least = heapq.nsmallest(_LEAST, self._least)
        return round((_LEAST - 1) * _WHOLE / least[-1]), False


@dataclass
class Field:
    """One field: in how many records it is filled, its different values, its shapes, and what dates are odd."""

    filled: int = 0
    distinct: Distinct = field(default_factory=Distinct)
    shapes: Counter[str] = field(default_factory=Counter)
    other_shapes: int = 0
    dates: Counter[str] = field(default_factory=Counter)

    def add(self, values: Mapping[str, int], today: date) -> None:
        """Take in values, each with how often it came."""
        self.distinct.add(values)
        for value, times in values.items():
            self._shape(_gathered(shape(value)), times)
            if value[:1].isdigit():
                for odd in odd_dates(value, today):
                    self.dates[odd] += times

    def merge(self, other: "Field") -> None:
        """Take in what another has counted of the same field."""
        self.filled += other.filled
        self.distinct.merge(other.distinct)
        self.other_shapes += other.other_shapes
        for seen, times in other.shapes.items():
            self._shape(seen, times)
        self.dates.update(other.dates)

    def _shape(self, seen: str, times: int) -> None:
        if seen in self.shapes or len(self.shapes) < _SHAPES:
            self.shapes[seen] += times
        else:
            self.other_shapes += times


@dataclass
class Profile:
    """The fields of many records, in the order they were met."""

    records: int = 0
    fields: dict[str, Field] = field(default_factory=dict)

    def add(self, records: Iterable[Mapping[str, list[str]]], today: date) -> None:
        """Take in records, each with its filled fields' values."""
        seen: dict[str, list[str]] = {}
        filled: Counter[str] = Counter()
        for record in records:
            self.records += 1
            filled.update(record.keys())
            for name, values in record.items():
                seen.setdefault(name, []).extend(values)
        for name, values in seen.items():
            if held := self._field(name):
                held.filled += filled[name]
                held.add(Counter(values), today)

    def merge(self, other: "Profile") -> None:
        """Take in what another has counted."""
        self.records += other.records
        for name, counted in other.fields.items():
            if held := self._field(name):
                held.merge(counted)

    def _field(self, name: str) -> Field | None:
        if name not in self.fields and len(self.fields) < _FIELDS:
            self.fields[name] = Field()
        return self.fields.get(name)


@lru_cache(maxsize=4096)
def _gathered(drawn: str) -> str:
    """A shape with its long runs of letters drawn as one. A file has few shapes, however many values."""
    return _RUN.sub(r"\1+", drawn)


def odd_dates(value: str, today: date) -> list[str]:
    """In which ways a value that is written as a date is odd; none for what is no date."""
    if _SHORT_YEAR.fullmatch(value):
        return ["with a year of two digits"]
    found = _ISO.fullmatch(value)
    if found is None:
        return []
    try:
        day = date(int(found[1]), int(found[2]), int(found[3]))
    except ValueError:
        return ["impossible"]
    if day in (date(1900, 1, 1), date(1970, 1, 1)):
        return ["1900-01-01 or 1970-01-01"]
    if day.year < 1900:
        return ["before 1900"]
    return ["in the future"] if day > today else []
