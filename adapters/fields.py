"""The types of fields that flat records are made of (`adapters/flat.py`), the same in CSV and in JSON.

A record's empty fields are gone before its model sees it, so that a field is either absent or holds something; one
that may be absent is `Text | None = None`. Each type refuses with a fault that quotes nothing.
"""

import re
from datetime import date
from typing import Annotated, Any, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainValidator, StringConstraints
from pydantic_core import PydanticCustomError

from adapters.base import HIGHEST_VERSION
from adapters.local_time import Told, day_moment, read_day, read_moment

_BRITISH: Final = re.compile(r"(\d{2})/(\d{2})/(\d{4})", re.ASCII)


class Record(BaseModel):
    """The base of a flat record's model: tolerant of fields it does not know, silent on values.

    A field that is spelled in another way than Python's has its spelling as an alias: `born: Day = Field(alias="DOB")`.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True, arbitrary_types_allowed=True)


def _malformed() -> PydanticCustomError:
    return PydanticCustomError("malformed", "not of the form the contract gives it")


def _day(value: Any) -> date:
    day = read_day(value.strip()) if isinstance(value, str) else None
    if day is None:
        raise _malformed()
    return day


def _british_day(value: Any) -> date:
    found = _BRITISH.fullmatch(value.strip()) if isinstance(value, str) else None
    day = read_day(f"{found[3]}-{found[2]}-{found[1]}") if found is not None else None
    if day is None:
        raise _malformed()
    return day


def _told(value: Any) -> Told:
    if isinstance(value, str):
        day = read_day(value.strip())
        told = Told(day_moment(day)) if day is not None else read_moment(value.strip())
        if told is not None:
            return told
    raise _malformed()


def _number(value: Any) -> int:
    if isinstance(value, str) and value.strip().isascii() and value.strip().isdigit() and len(value) <= 9:
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise _malformed()


def _flag(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.strip().upper() in ("Y", "N"):
        return value.strip().upper() == "Y"
    raise _malformed()


Text = Annotated[str, StringConstraints(strict=True, strip_whitespace=True, min_length=1, max_length=500)]
Day = Annotated[date, PlainValidator(_day)]
"""A day, CCYY-MM-DD."""
BritishDay = Annotated[date, PlainValidator(_british_day)]
"""A day, DD/MM/CCYY, as spreadsheets and many systems in Britain write it. `day_moment` makes it a moment."""
When = Annotated[Told, PlainValidator(_told)]
"""An instant, with or without a zone, or a day."""
Version = Annotated[int, BeforeValidator(_number), Field(ge=1, le=HIGHEST_VERSION)]
"""A whole number from 1 that counts what was said of one thing."""
Flag = Annotated[bool, PlainValidator(_flag)]
"""Y or N; in JSON true or false as well."""
