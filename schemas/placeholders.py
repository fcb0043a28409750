"""What is typed where a name or a birth date is not known: it passes for one, and belongs to nobody.

Joining people by a placeholder joins strangers. Numbers and postcodes that stand for an unknown one are told by
`schemas.identifiers` and `schemas.postcodes`. Source of both lists: hmpps-person-match, which takes the same words and
dates out before it compares.
"""

import enum
import re
from datetime import date
from typing import Final

from schemas.base import Name

BIRTHS: Final = frozenset({date(1900, 1, 1), date(1970, 1, 1)})
"""The first days of two calendars: what a system writes that must have a birth date and has none."""


class Mark(enum.StrEnum):
    """What a name carries that is no part of a name."""

    MIG_ERROR = "MIG_ERROR_"
    """The record went wrong when it was moved from an older system."""
    NO_SHOW = "NO_SHOW_"
    DUPLICATE = "DUPLICATE_"
    """The person has another record, and this one is not to be used."""
    NOT_ENTERED = "NOT ENTERED"
    """The whole half is no name."""


_MARK = re.compile(r"\s*(MIG_ERROR_|NO_SHOW_|DUPLICATE_|NOT ENTERED\b)", re.IGNORECASE | re.ASCII)


def mark_of(name: Name) -> Mark | None:
    """The mark a name carries in either half, or None if it is a name like any other."""
    for half in (name.surname, name.forenames):
        if half is not None and (found := _MARK.match(half)):
            return Mark(found[1].upper())
    return None
