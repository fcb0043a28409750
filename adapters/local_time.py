"""Clock times as agencies write them: local, often without a zone, twice a year in doubt.

A time without a zone is read as Europe/London. When the clocks go back an hour is lived twice, and when they go
forward an hour is skipped; both are told by name, so that nobody finds out from a late assessment.
"""

import enum
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from schemas.base import Moment, Precision

LONDON: Final = ZoneInfo("Europe/London")

CLOCK_TOLERANCE: Final = timedelta(minutes=10)
"""How far a sender's clock may run ahead of ours."""

_HOUR: Final = timedelta(hours=1)
_LAST_HOUR: Final = datetime.max - _HOUR  # noqa: DTZ901 - a clock time, as it was written

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_DATE_TIME = re.compile(
    r"(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2})(:\d{2})?(\.\d{1,9})?(Z|[+-]\d{2}:\d{2})?",
    re.ASCII,
)


class Doubt(enum.StrEnum):
    """What a local time without a zone left open."""

    AMBIGUOUS = "ambiguous"
    """The clocks went back in this hour: it was lived twice. Read as the first time round (summer time)."""
    SKIPPED = "skipped"
    """The clocks went forward over this hour: it did not exist. Read as if they had not been changed yet (GMT)."""


@dataclass(slots=True)  # not frozen: a record has many, and each takes three times as long to make
class Told:
    """An instant as read from a source, in UTC, and what its clock left open. It becomes a Moment where it is told."""

    at: datetime
    precision: Precision = Precision.SECOND
    zone_assumed: bool = False
    doubt: Doubt | None = None

    @classmethod
    def of(cls, moment: Moment) -> "Told":
        """An instant that leaves nothing open."""
        return cls(moment.at, moment.precision, moment.zone_assumed)

    @property
    def moment(self) -> Moment:
        """The instant, for an event."""
        return Moment(at=self.at, precision=self.precision, zone_assumed=self.zone_assumed)

    def parts(self) -> dict[str, object]:
        """What its Moment is made of, for an event that is validated with all its parts."""
        return {"at": self.at, "precision": self.precision, "zone_assumed": self.zone_assumed}

    @property
    def day(self) -> date:
        """The day it was in London."""
        return self.at.astimezone(LONDON).date()


def read_day(text: str) -> date | None:
    """The day written as CCYY-MM-DD, or None if this is no such day."""
    if _DAY.fullmatch(text) is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def read_moment(text: str) -> Told | None:
    """The instant written as CCYY-MM-DDThh:mm, with or without seconds and zone, or None if this is no such instant."""
    seconds = fraction = zone = None
    whole = text
    if not _to_the_minute(text):
        match = _DATE_TIME.fullmatch(text)
        if match is None:
            return None
        day, clock, seconds, fraction, zone = match.groups()
        if fraction and not seconds:
            whole = f"{day}T{clock}:00{fraction}{zone or ''}"
    precision = Precision.SECOND if seconds else Precision.MINUTE
    try:
        written = datetime.fromisoformat(whole)
        if written.year == 1:  # its first hours lie before all time for whoever is west of Greenwich, as London was
            return None
        if zone is not None:
            return Told(written.astimezone(UTC), precision)
        at, doubt = _in_london(written)
    except (ValueError, OverflowError):  # the 30th of February, 25 o'clock, an offset of a day
        return None
    return Told(at, precision, True, doubt)


def _to_the_minute(text: str) -> bool:
    """Whether this can be nothing but CCYY-MM-DDThh:mm: most are, and it is seen at a glance."""
    return len(text) == 16 and text[4] == text[7] == "-" and text[10] in "T " and text[13] == ":"


def told_day(day: date) -> Told:
    """A day alone, kept as that day's midnight in Europe/London."""
    return Told(datetime.combine(day, time(), tzinfo=LONDON).astimezone(UTC), Precision.DAY, True)


def day_moment(day: date) -> Moment:
    """A day alone, as it is kept, for an event."""
    return told_day(day).moment


def _in_london(written: datetime) -> tuple[datetime, Doubt | None]:
    before = LONDON.utcoffset(written)
    if before is None:
        raise ValueError("a time at which London has no offset")
    # The offset before the change: summer time in autumn, GMT in spring. It is right for both.
    told = written - before
    at = datetime.combine(told, told.time(), UTC)
    if written < _LAST_HOUR and before == LONDON.utcoffset(written + _HOUR):  # no clock is changed within the hour
        return at, None
    after = LONDON.utcoffset(written.replace(fold=1))
    if after is None or before == after:
        return at, None
    return at, Doubt.AMBIGUOUS if before > after else Doubt.SKIPPED
