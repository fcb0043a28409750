"""Time stamps of HL7 v2 (TS, DTM): CCYY[MM[DD[HH[MM[SS[.S]]]]]][+/-ZZZZ]."""

import re
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Final

from adapters.base import Finding
from adapters.gp.faulty import Faulty
from adapters.gp.hl7 import rules
from adapters.local_time import Told, day_moment, read_day, read_moment
from schemas.base import Moment, Precision

SLACK: Final = timedelta(days=1)
"""How far a sender's clock may run ahead before its message is taken for a mistake."""

_STAMP = re.compile(
    r"(\d{4})(?:(\d{2})(?:(\d{2})(?:(\d{2})(?:(\d{2})(?:(\d{2})(?:\.(\d{1,4}))?)?)?)?)?)?([+-]\d{4})?", re.ASCII
)


def read_stamp(text: str) -> Told | None:
    """The instant, or the day, of a time stamp; None for one that is neither, or known to the month or year alone."""
    found = _STAMP.fullmatch(text)
    if found is None or found[3] is None:
        return None
    year, month, day, hour, minute, second, fraction, zone = found.groups()
    written = f"{year}-{month}-{day}"
    if hour is None:
        known = read_day(written)
        return Told.of(day_moment(known)) if known is not None else None
    clock = f"{hour}:{minute or '00'}" + (f":{second}" if second else "") + (f".{fraction}" if fraction else "")
    return read_moment(f"{written}T{clock}" + (f"{zone[:3]}:{zone[3:]}" if zone else ""))


def read_birth(text: str) -> tuple[date | None, bool]:
    """The day of a birth and whether it is only partly known. Raises ValueError for what is no time stamp."""
    found = _STAMP.fullmatch(text)
    if found is None:
        raise ValueError("no time stamp")
    if found[3] is None:
        return None, True
    day = read_day(f"{found[1]}-{found[2]}-{found[3]}")
    if day is None:
        raise ValueError("no day")
    return day, False


def first_of(stamps: Iterable[tuple[str, str]], received: datetime, found: list[Finding]) -> Moment:
    """The first of these (field, text) that can be read. Raises Faulty where none can, or it lies in the future."""
    for field, text in stamps:
        if not text:
            continue
        told = read_stamp(text)
        if told is None:
            found.append(Finding(rules.TIME_UNREADABLE, field))
            continue
        if told.at > received + SLACK:
            raise Faulty([Finding(rules.IN_THE_FUTURE, field)])
        if told.zone_assumed and told.precision is not Precision.DAY:
            found.append(Finding(rules.ZONE_ASSUMED, field))
        if told.doubt is not None:
            found.append(Finding(rules.CLOCK_CHANGE, field, told.doubt.value))
        return told.moment
    raise Faulty([Finding(rules.NO_TIME, "MSH-7")])
