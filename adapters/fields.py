"""The types of fields that flat records are made of (`adapters/flat.py`), the same in CSV and in JSON.

A type says what a field looks like, and many say what it is for as well: a `Surname` is the person's, a `Key` names
what the record is about, an `NhsNumber` is what they may be found by. A record (`adapters/record.py`) puts person, key
and version together by that, so that no adapter does:

    class Stay(Record):
        bed: Key = Field(alias="Bed no")
        surname: Surname = Field(alias="Last name")
        nhs_number: NhsNumber | None = Field(None, alias="NHS no")

A record's empty fields are gone before its model sees it, so that a field is either absent or holds something; one
that may be absent is `Text | None = None`. Each type refuses with a fault that says what is to be written, and quotes
nothing.
"""

import enum
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Annotated, Any, Final, Generic, TypeVar

from pydantic import AfterValidator, GetCoreSchemaHandler, PlainValidator, ValidationInfo
from pydantic_core import PydanticCustomError, core_schema

from adapters.base import HIGHEST_VERSION, CodeTable
from adapters.local_time import Told, day_moment, read_day, read_moment
from schemas import postcodes
from schemas.base import Name
from schemas.identifiers import Identifier, Scheme, parse

_ISO: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_BRITISH: Final = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})", re.ASCII)
_LONGEST: Final = 500

_DAY: Final = "CCYY-MM-DD"
_BRITISH_DAY: Final = "DD/MM/CCYY"
_WHEN: Final = f"{_DAY} or {_DAY}Thh:mmZ"
_BRITISH_WHEN: Final = f"{_BRITISH_DAY} or {_BRITISH_DAY} hh:mm"


class Part(enum.Enum):
    """What a field is for, beside what it looks like."""

    KEY = enum.auto()
    VERSION = enum.auto()
    WITHDRAWN = enum.auto()
    """Why what was told of the key is taken back, in a word of ours: `Annotated[str, coded(...), Part.WITHDRAWN]`."""
    NAME = enum.auto()
    SURNAME = enum.auto()
    FORENAMES = enum.auto()
    BORN = enum.auto()
    SEX = enum.auto()
    HOMELESS = enum.auto()
    LOCAL = enum.auto()
    """A time whose form has no zone: Europe/London is agreed and not assumed."""


@dataclass(frozen=True, slots=True)
class Unmapped:
    """What a coded field holds whose code is on no list: the record is held before anybody asks for its meaning."""

    table: str
    code: str


@dataclass(frozen=True, slots=True)
class Reading:
    """What is found out while a record is read, as the context of its model's validation.

    births: dates of birth that are well formed, by the fields as the model has them. One that cannot be is told beside
    whatever else is wrong.
    """

    births: dict[str, date] = field(default_factory=dict)


def malformed(told: str) -> PydanticCustomError:
    """A value that has not the form of its field, to be raised by a validator. told: what to write, and no value."""
    return PydanticCustomError("malformed", told)


def spelling(name: str, known: Collection[str]) -> str | None:
    """Which of the known names or codes this is: itself, or else the only one that differs from it in case alone."""
    if name in known:
        return name
    alike = [one for one in known if one.casefold() == name.casefold()]
    return alike[0] if len(alike) == 1 else None


def _text(value: Any) -> str:
    text = value.strip() if isinstance(value, str) else ""
    if not 0 < len(text) <= _LONGEST:
        raise malformed(f"write text of at most {_LONGEST} characters")
    return text


def _day(value: Any, form: str = _DAY) -> date:
    """The day written in the order of ISO 8601. form: what its sender is to write."""
    written = value.strip() if isinstance(value, str) else ""
    day = read_day(written)
    if day is None:
        raise _no_time(written, form)
    return day


def _no_time(written: str, form: str) -> PydanticCustomError:
    """Why this is none: 31/02/2026 has the shape of a day, so the shape alone would not tell what is wrong."""
    day = written[:10]
    no_day = _ISO.fullmatch(day) is not None and read_day(day) is None
    return malformed(f"no day of the calendar, write {form}" if no_day else f"write {form}")


def _iso(value: Any) -> Any:
    """A British day, with or without a time behind it, in the order of ISO 8601; what is none stays as it is."""
    if not isinstance(value, str):
        return value
    written, space, clock = value.strip().partition(" ")
    found = _BRITISH.fullmatch(written)
    return f"{found[3]}-{found[2]:>02}-{found[1]:>02}{space}{clock}" if found is not None else ""


def _told(value: Any, form: str = _WHEN) -> Told:
    written = value.strip() if isinstance(value, str) else ""
    day = read_day(written)
    told = Told.of(day_moment(day)) if day is not None else read_moment(written)
    if told is None:
        raise _no_time(written, form)
    return told


def _birth(day: date, info: ValidationInfo) -> date:
    if isinstance(info.context, Reading) and info.field_name is not None:
        info.context.births[info.field_name] = day
    return day


def _version(value: Any) -> int:
    if isinstance(value, str) and value.strip().isascii() and value.strip().isdigit() and len(value) <= 9:
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= HIGHEST_VERSION:
        return value
    raise malformed("write a whole number from 1")


_FLAGS: Final = {"Y": True, "YES": True, "TRUE": True, "1": True, "N": False, "NO": False, "FALSE": False, "0": False}


def _flag(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    said = _FLAGS.get(value.strip().upper()) if isinstance(value, str) else None
    if said is None:
        raise malformed("write Y or N")
    return said


def _surname_first(value: Any) -> Name:
    surname, comma, forenames = (part.strip() for part in _text(value).partition(","))
    if not (surname and comma):
        raise malformed("write the surname, a comma and the forenames")
    return Name(surname=surname, forenames=forenames or None)


def _numbered(scheme: Scheme) -> PlainValidator:
    return PlainValidator(lambda value: parse(scheme, _text(value)).identifier)


def _place(value: Any) -> postcodes.Postcode:
    return postcodes.parse_postcode(_text(value))


def _unread(_value: Any) -> None:
    return None


Text = Annotated[str, PlainValidator(_text)]
Unread = Annotated[None, PlainValidator(_unread)]
"""A field they send and nobody may keep: `worker_email: Unread = None`. Its value is in no record, fact or finding."""
Day = Annotated[date, PlainValidator(lambda value: _day(value))]
"""A day, CCYY-MM-DD. `day_moment` makes it a moment."""
BritishDay = Annotated[date, PlainValidator(lambda value: _day(_iso(value), _BRITISH_DAY))]
"""A day, DD/MM/CCYY, as spreadsheets and many systems in Britain write it."""
When = Annotated[Told, PlainValidator(lambda value: _told(value))]
"""An instant, with or without a zone, or a day. Its `moment` is when it was, its `day` the day it was in London."""
BritishWhen = Annotated[Told, PlainValidator(lambda value: _told(_iso(value), _BRITISH_WHEN)), Part.LOCAL]
"""DD/MM/CCYY, with or without a local time (hh:mm) behind a space."""
Flag = Annotated[bool, PlainValidator(_flag)]
"""Yes or no: Y or N, yes or no, true or false, 1 or 0, in any case; in JSON true or false as well."""

Key = Annotated[Text, Part.KEY]
"""What the record is about, in their numbering: never changed, never used again. Several are one key together."""
Version = Annotated[int, PlainValidator(_version), Part.VERSION]
"""A whole number from 1 that counts what was said of one key."""

Surname = Annotated[Text, Part.SURNAME]
Forenames = Annotated[Text, Part.FORENAMES]
"""Where they stand in several fields, as first and middle name, they are one in the order of the fields."""
SurnameFirst = Annotated[Name, PlainValidator(_surname_first), Part.NAME]
"""A whole name in one field, the surname before a comma: "Larkspur, Benedict"."""
Born = Annotated[Day, AfterValidator(_birth), Part.BORN]
"""The date of birth."""
BritishBorn = Annotated[BritishDay, AfterValidator(_birth), Part.BORN]

NhsNumber = Annotated[Identifier, _numbered(Scheme.NHS)]
Nino = Annotated[Identifier, _numbered(Scheme.NINO)]
PncId = Annotated[Identifier, _numbered(Scheme.PNC)]
Crn = Annotated[Identifier, _numbered(Scheme.CRN)]
NomsNumber = Annotated[Identifier, _numbered(Scheme.NOMS)]

Postcode = Annotated[postcodes.Postcode, PlainValidator(_place)]
"""Any text: what is no postcode, or stands for none, is told as a finding and gives none."""
NoFixedAbode = Annotated[Flag, Part.HOMELESS]
"""The person has no home; it wins over a postcode beside it."""

Meaning = TypeVar("Meaning")


def coded(table: str, codes: Mapping[str, Meaning]) -> "Coded[Meaning]":
    """What makes a field one of an agency's codes, read as our meaning: `Annotated[Sex, coded("gp.sex", {...})]`.

    table: its name, after the agency's. A code is read in either case, unless the table has two that differ in nothing
    else. One that is not in it holds the record, by table and code, as it was written.
    """
    return Coded(CodeTable(table, codes))


@dataclass(frozen=True, slots=True, eq=False)  # alike only itself, as a part of a type must be
class Coded(Generic[Meaning]):
    """The mark of a coded field."""

    table: CodeTable[Meaning]

    def __get_pydantic_core_schema__(self, _source: Any, _handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        """A field that holds a meaning, or `Unmapped`."""
        return core_schema.no_info_plain_validator_function(self._read)

    def _read(self, value: Any) -> Meaning | Unmapped:
        written = _text(value)
        code = spelling(written, self.table)
        return self.table[code] if code is not None else Unmapped(self.table.name, written)
