"""Flat records: a feed whose every record is one list of named values, as CSV or as JSON, read by a model of its own.

Most agencies that have no message standard can send this, and an adapter for it says only what is the agency's own:
its fields (`adapters/fields.py`), its codes and what they mean, and which event a record tells. An agency with a format
of its own implements `Adapter.read` instead. Whatever such an adapter is written with can be imported from here.
"""

import enum
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from types import MappingProxyType
from typing import Any, Final, Generic, TypeVar

import orjson
from pydantic import ValidationError

from adapters import claims, csv_rows, drift, fields, flat_rules, ndjson
from adapters.base import (
    Accepted,
    Adapter,
    CodeTable,
    Finding,
    Held,
    Ignored,
    Level,
    Message,
    Outcome,
    Refused,
    Rule,
    UnknownCode,
)
from adapters.fields import Part, Reading, Unmapped, coded, spelling
from adapters.local_time import CLOCK_TOLERANCE, Told, day_moment
from adapters.record import (
    Layout,
    Meanings,
    Record,
    contradictions,
    field_of,
    identifiers,
    key_of,
    layout_of,
    long_ago,
    mapped,
    oddities,
    unmapped,
    version_of,
    withdrawal_of,
)
from adapters.shapes import shape
from schemas.base import Event, Fact

__all__ = [
    "JSON",
    "LINES",
    "LONGEST",
    "Feed",
    "Finding",
    "Kind",
    "Level",
    "Part",
    "Record",
    "Rule",
    "claims",
    "coded",
    "day_moment",
    "fields",
]

JSON: Final = "application/json"
LINES: Final = "application/x-ndjson"
LONGEST: Final = 64 * 1024
"""The longest record, in bytes."""

_CODE: Final = re.compile(r"[A-Za-z0-9_-]{1,24}", re.ASCII)
_NOT_A_CODE: Final = "not the form of a code"

R = TypeVar("R", bound=Record)


def _impossible(_record: Record, _received: datetime) -> Iterable[Finding]:
    return ()


@dataclass(frozen=True, slots=True)
class Kind(Generic[R]):
    """A kind of record.

    wire: its model, which has a `Key`. tell: the event it tells; may raise UnknownCode. needs: fields, as they are
    spelled, that others of the same model may leave empty and this one may not. impossible: what is well formed and
    cannot be, given when it came; it is refused. fact: a word for what it tells, where kinds of record tell several
    facts of one key.

    Raises ValueError for a model without a key, and a need that is no field of it.
    """

    wire: type[R]
    tell: Callable[[R], Event]
    needs: tuple[str, ...] = ()
    impossible: Callable[[R, datetime], Iterable[Finding]] = _impossible
    fact: str = ""

    def __post_init__(self) -> None:
        if not self.layout.parts[Part.KEY]:
            raise ValueError(f"{self.wire.__name__} has no field of the type Key")
        if strange := set(self.needs).difference(self.layout.spelled.values()):
            raise ValueError(f"{self.wire.__name__} has no field {', '.join(sorted(strange))}")

    @property
    def layout(self) -> Layout:
        """What its model's fields are for."""
        return layout_of(self.wire)

    @property
    def required(self) -> frozenset[str]:
        """The fields it cannot do without."""
        return self.layout.required.union(self.needs)


@dataclass(frozen=True, slots=True)
class Feed:
    """An agency's flat records.

    name: the agency. names: the field that says of what kind a record is. kinds: those that are told, by that name.
    ignored: the names of those nobody subscribes to. A name that is neither, in capitals or not, is held. rules: the
    agency's own, beside those of every flat record.
    """

    name: str
    names: str
    kinds: Mapping[str, Kind[Any]]
    ignored: frozenset[str] = frozenset()
    rules: Iterable[Rule] = ()

    def build(self, options: Mapping[str, str]) -> Adapter:
        """The adapter of one installation.

        Options: `TABLE.CODE`, the meaning of a code that is in no table yet, by the table's name after the agency's.
        Raises ValueError for an option or a value that is none.
        """
        meanings = dict(self._chosen(option, value) for option, value in options.items())
        required = frozenset({self.names}).union(*(kind.required for kind in self.kinds.values()))
        rules = {rule.id: rule for kind in self.kinds.values() for rule in kind.layout.rules()}
        return Adapter(
            name=self.name,
            read=partial(self.read, meanings=meanings),
            rules={**rules, **{rule.id: rule for rule in self.rules}, **claims.RULES, **drift.RULES},
            records=frozenset({JSON, csv_rows.MEDIA_TYPE}),
            files={
                csv_rows.MEDIA_TYPE: csv_rows.rows(
                    required, LONGEST, header_wrong=flat_rules.HEADER_WRONG, no_end=flat_rules.NO_END
                ),
                LINES: ndjson.rows(LONGEST),
            },
            code_options={table.name: option for option, table in self._tables().items()},
        )

    def read(self, message: Message, meanings: Meanings = MappingProxyType({})) -> Outcome:
        """Read one record: every fault of it at once, then its codes."""
        told = _values(message)
        if isinstance(told, Finding):
            return Refused((told,))
        written = told.get(self.names)
        if not isinstance(written, str):
            return Refused((Finding(flat_rules.KIND_MISSING, self.names),))
        name = spelling(written.strip(), (*self.kinds, *self.ignored))
        if name is None:
            return Held("code_not_mapped", (_unmapped(f"{self.name}.{self.names}", written.strip()),))
        if name in self.ignored:
            return Ignored(f"{self.name}.{name}")
        kind = self.kinds[name]
        lacking = tuple(Finding(flat_rules.MISSING, need) for need in kind.needs if need not in told)
        reading, today = Reading(), message.received.date()
        try:
            record = mapped(kind.wire.model_validate(told, context=reading), meanings)
        except ValidationError as error:
            return Refused((*_faults(error, told), *lacking, *_never_born(kind, reading, today)))
        cannot_be = () if lacking else kind.impossible(record, message.received)
        if wrong := (*lacking, *_never_born(kind, reading, today), *cannot_be):
            return Refused(wrong)
        found = (*oddities(record), *long_ago(record, today))
        key = ":".join((self.name, *key_of(record)))
        lane = next((f"{one.scheme.upper()}:{one.value}" for one in identifiers(record) if one.value), f"OWN:{key}")
        if codes := [_unmapped(code.table, code.code) for code in unmapped(record)]:
            return Held("code_not_mapped", (*found, *codes), lane)
        try:
            event = kind.tell(record)
        except ValidationError as error:
            return Refused(tuple(_untold(error)))
        except UnknownCode as unknown:
            return Held("code_not_mapped", (*found, _unmapped(unknown.table, unknown.code)), lane)
        if event.occurred.at > message.received + CLOCK_TOLERANCE:
            return Refused((Finding(flat_rules.NOT_YET, field_of(record, event.occurred)),))
        if Told.of(event.occurred).day < max(claims.FIRST_BIRTH, event.person.date_of_birth or claims.FIRST_BIRTH):
            return Refused((Finding(flat_rules.BEFORE_BIRTH, field_of(record, event.occurred)),))
        fact = Fact(
            key=f"{key}:{kind.fact}" if kind.fact else key,
            lane=lane,
            kind=event.kind,
            event=event,
            version=version_of(record),
            withdrawn=withdrawal_of(record),
        )
        besides = drift.besides(kind.wire, told, also=frozenset({self.names}))
        return Accepted((fact,), (*found, *contradictions(record, event.person), *besides))

    def _tables(self) -> dict[str, CodeTable[Any]]:
        """The tables of codes, by their names after the agency's."""
        tables = (table for kind in self.kinds.values() for table in kind.layout.tables)
        return {table.name.removeprefix(f"{self.name}."): table for table in tables}

    def _chosen(self, option: str, value: str) -> tuple[Unmapped, Any]:
        """A code of one of the tables and what it is to mean. Raises ValueError."""
        name, _, code = option.partition(".")
        table = self._tables().get(name)
        if table is None or not code:
            raise ValueError(f"the {self.name} adapter has no option {option!r}")
        if spelling(code, table) is not None:
            raise ValueError(f"the {self.name} adapter knows the code of {option!r} already")
        kinds = {type(meaning) for meaning in table.values()}
        meanings = [meant for kind in kinds if issubclass(kind, enum.Enum) for meant in kind] or list(table.values())
        for meaning in meanings:
            if str(getattr(meaning, "value", meaning)) == value:
                return Unmapped(table.name, code), meaning
        raise ValueError(f"the {self.name} adapter has no such meaning for {option!r}")


def _values(message: Message) -> dict[str, Any] | Finding:
    """The record's values by their names, without those that are empty."""
    if len(message.body) > 2 * LONGEST:  # a row of a file brings its header with it
        return Finding(flat_rules.NOT_READABLE, "record", "longer than 64 KiB")
    try:
        if message.media_type == csv_rows.MEDIA_TYPE:
            told: Any = csv_rows.read_row(message.body)
        else:
            told = orjson.loads(message.body.removeprefix(b"\xef\xbb\xbf"))
    except csv_rows.Uneven as row:
        return Finding(flat_rules.UNEVEN, "record", f"{row.values} values under {row.columns} columns")
    except (csv_rows.NoRow, ValueError):  # what a ValueError says may quote the record
        return Finding(flat_rules.NOT_READABLE if _is_utf8(message.body) else flat_rules.NOT_UTF8, "record")
    if not isinstance(told, dict):
        return Finding(flat_rules.NOT_READABLE, "record")
    return {name: value for name, value in told.items() if value is not None and not _blank(value)}


def _faults(error: ValidationError, told: Mapping[str, Any]) -> Iterator[Finding]:
    for fault in error.errors(include_input=False, include_context=False, include_url=False):
        field = str(fault["loc"][0])
        if fault["type"] == "missing":
            yield Finding(flat_rules.MISSING, field)
        else:
            value = told.get(field)
            seen = f"{shape(value)}: " if isinstance(value, str) else ""
            yield Finding(flat_rules.MALFORMED, field, f"{seen}{fault['msg']}")


def _untold(error: ValidationError) -> Iterator[Finding]:
    """What an event does not take, by its own fields."""
    for fault in error.errors(include_input=False, include_context=False, include_url=False):
        yield Finding(flat_rules.NOT_TELLABLE, ".".join(map(str, ("event", *fault["loc"]))))


def _never_born(kind: Kind[Any], reading: Reading, today: date) -> Iterator[Finding]:
    """A date of birth that nobody alive has. today: the day on which the record came."""
    for name, born in reading.births.items():
        if born > today:
            yield Finding(flat_rules.BORN_IN_THE_FUTURE, kind.layout.spelled[name])
        elif born < claims.FIRST_BIRTH:
            yield Finding(flat_rules.BORN_BEFORE_1900, kind.layout.spelled[name])


def _unmapped(table: str, code: str) -> Finding:
    return Finding(flat_rules.CODE_NOT_MAPPED, table, code if _CODE.fullmatch(code) else _NOT_A_CODE)


def _is_utf8(body: bytes) -> bool:
    try:
        body.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _blank(value: Any) -> bool:
    return isinstance(value, str) and not value.strip()
