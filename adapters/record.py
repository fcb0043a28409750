"""A flat record: a model of typed fields that knows whose it is, what it is about and what is odd about it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from typing import Annotated, Any, Final, get_args, get_origin

from pydantic import BaseModel, ConfigDict
from pydantic.fields import FieldInfo

from adapters import claims, flat_rules
from adapters.base import CodeTable, Finding, Rule
from adapters.fields import Coded, Part, Unmapped, spelling
from adapters.local_time import Told, day_moment
from schemas import placeholders
from schemas.base import AddressClaim, Moment, Name, Person, Precision, Sex
from schemas.identifiers import Identifier
from schemas.postcodes import Postcode

_LONG: Final = timedelta(days=14_610)
"""Forty years: what is told here has just happened or goes on, and hardly anything goes on for as long."""

Meanings = Mapping[Unmapped, Any]
"""What codes that are on no list of an adapter mean to one installation."""


class Record(BaseModel):
    """The base of a flat record's model: tolerant of fields it does not know, silent on values.

    A field that is spelled in another way than Python spells has its spelling as an alias: `Field(alias="DOB")`.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True, arbitrary_types_allowed=True)

    def person(self, *addresses: AddressClaim | None) -> Person:
        """Who the record is about: by the fields that say so, and with these addresses; None is no address."""
        layout = layout_of(type(self))
        return Person(
            identifiers=tuple(identifiers(self)),
            name=_name(self, layout),
            date_of_birth=next((day for day in _values(self, layout, Part.BORN) if not _stands_for_none(day)), None),
            sex=next(_values(self, layout, Part.SEX), None),
            addresses=tuple(one for one in addresses if one is not None),
        )


@dataclass(frozen=True, slots=True)
class Layout:
    """What each field of a model is called in the record, what it is for, and which the record cannot do without.

    days: the fields that hold a day other than a birth, or a time. times: those that may hold a time of day. tables:
    those of its coded fields.
    """

    spelled: dict[str, str]
    parts: dict[Part, tuple[str, ...]]
    required: frozenset[str]
    days: tuple[str, ...]
    times: frozenset[str]
    tables: tuple[CodeTable[Any], ...]

    def rules(self) -> Iterator[Rule]:
        """The rules of flat records that a record of this model can break."""
        unbreakable = set()
        if not self.times:
            unbreakable.add(flat_rules.CLOCK_CHANGE)
        if self.times.issubset(self.parts[Part.LOCAL]):
            unbreakable.add(flat_rules.ZONE_ASSUMED)
        if not self.days:
            unbreakable.add(flat_rules.LONG_AGO)
        if not self.parts[Part.BORN]:
            unbreakable |= {flat_rules.BORN_IN_THE_FUTURE, flat_rules.BORN_BEFORE_1900}
        return (rule for rule in flat_rules.RULES.values() if rule not in unbreakable)


@cache
def layout_of(model: type[Record]) -> Layout:
    """A model's layout, read from the types of its fields."""
    parts: dict[Part, tuple[str, ...]] = dict.fromkeys(Part, ())
    days = []
    times = set()
    tables = []
    for name, field in model.model_fields.items():
        marks = set(_marks(field))
        if Sex in marks:
            marks.add(Part.SEX)
        for part in Part:
            if part in marks:
                parts[part] += (name,)
        if Told in marks:
            times.add(name)
        if Told in marks or (date in marks and Part.BORN not in marks):
            days.append(name)
        tables += [mark.table for mark in marks if isinstance(mark, Coded)]
    spelled = {name: field.alias or name for name, field in model.model_fields.items()}
    required = frozenset(spelled[name] for name, field in model.model_fields.items() if field.is_required())
    return Layout(spelled, parts, required, tuple(days), frozenset(times), tuple(tables))


def key_of(record: Record) -> tuple[str, ...]:
    """What the record is about, in the order of its key's fields."""
    return tuple(_values(record, layout_of(type(record)), Part.KEY))


def version_of(record: Record) -> int | None:
    """Which of the statements about its key this is, where it counts them."""
    return next(_values(record, layout_of(type(record)), Part.VERSION), None)


def withdrawal_of(record: Record) -> str | None:
    """Why the record takes back what was told of its key, or None where it does not."""
    return next(_values(record, layout_of(type(record)), Part.WITHDRAWN), None)


def identifiers(record: Record) -> Iterator[Identifier]:
    """What the person may be found by, in the order of the fields: the strongest stands first."""
    return (value for value in vars(record).values() if isinstance(value, Identifier))


def mapped(record: Record, meanings: Meanings) -> Record:
    """The record with the meanings somebody has given to codes that are on no list."""
    known = {}
    for name, value in vars(record).items():
        if isinstance(value, Unmapped):
            code = spelling(value.code, [one.code for one in meanings if one.table == value.table])
            if code is not None:
                known[name] = meanings[Unmapped(value.table, code)]
    return record.model_copy(update=known) if known else record


def unmapped(record: Record) -> Iterator[Unmapped]:
    """The codes that are on no list."""
    return (value for value in vars(record).values() if isinstance(value, Unmapped))


def oddities(record: Record) -> Iterator[Finding]:
    """What does not stop the record, by the fields it stands in: dummies, wrong numbers, doubtful times."""
    layout = layout_of(type(record))
    found: list[Finding] = []
    for name, value in vars(record).items():
        spelled = layout.spelled[name]
        match value:
            case Identifier(value=None):
                claims.identifier(value.scheme, value.raw, spelled, found)
            case Postcode(value=None):
                claims.place(value, spelled, found)
            case Told():
                found += _doubts(value, spelled, name in layout.parts[Part.LOCAL])
            case date() if name in layout.parts[Part.BORN]:
                claims.birth(value, spelled, found)
            case _:
                pass
    names = layout.parts[Part.NAME] or layout.parts[Part.SURNAME]
    if (name_told := _name(record, layout)) is not None:
        claims.name(name_told, layout.spelled[names[0]], found)
    return iter(found)


def long_ago(record: Record, today: date) -> Iterator[Finding]:
    """The days and times that lie so far back that their year is more likely a slip. today: when the record came."""
    layout = layout_of(type(record))
    for name in layout.days:
        told = getattr(record, name)
        day = told.day if isinstance(told, Told) else told
        if day is not None and day < today - _LONG:
            yield Finding(flat_rules.LONG_AGO, layout.spelled[name])


def field_of(record: Record, occurred: Moment) -> str:
    """The field that says when it happened, by its spelling, or the event's where it was put together from several."""
    for name, value in vars(record).items():
        match value:
            case Told(moment=moment) if moment == occurred:
                return layout_of(type(record)).spelled[name]
            case date() if day_moment(value) == occurred:
                return layout_of(type(record)).spelled[name]
            case _:
                pass
    return "event.occurred"


def contradictions(record: Record, told: Person) -> Iterator[Finding]:
    """Where what is told of the person has a postcode in an address that is said to be none."""
    if any(one.no_fixed_abode and one.postcode for one in told.addresses):
        layout = layout_of(type(record))
        yield Finding(
            claims.ABODE_CONTRADICTED, ", ".join(layout.spelled[name] for name in layout.parts[Part.HOMELESS])
        )


def _name(record: Record, layout: Layout) -> Name | None:
    whole = next(_values(record, layout, Part.NAME), None)
    surname = next(_values(record, layout, Part.SURNAME), None)
    if whole is not None or surname is None:
        return whole
    return Name(forenames=" ".join(_values(record, layout, Part.FORENAMES)) or None, surname=surname)


def _values(record: Record, layout: Layout, part: Part) -> Iterator[Any]:
    return (value for name in layout.parts[part] if (value := getattr(record, name)) is not None)


def _stands_for_none(day: date) -> bool:
    return day in placeholders.BIRTHS


def _doubts(told: Told, field: str, local: bool) -> Iterator[Finding]:
    """What a clock time left open."""
    if told.zone_assumed and told.precision is not Precision.DAY:
        if told.doubt is not None:
            yield Finding(flat_rules.CLOCK_CHANGE, field, told.doubt.value)
        elif not local:
            yield Finding(flat_rules.ZONE_ASSUMED, field)


def _marks(field: FieldInfo) -> Iterator[Any]:
    """The classes a field's type is made of, and the parts and codes marked on them, through alternatives."""
    yield from (mark for mark in field.metadata if isinstance(mark, Part | Coded))
    yield from _within(field.annotation)


def _within(annotation: Any) -> Iterator[Any]:
    if get_origin(annotation) is Annotated:
        yield from (mark for mark in annotation.__metadata__ if isinstance(mark, Part | Coded))
        yield from _within(annotation.__origin__)
    elif parts := get_args(annotation):
        for part in parts:
            yield from _within(part)
    else:
        yield annotation
