"""Flat records: a feed whose every record is one list of named values, as CSV or as JSON, read by a model of its own.

Most agencies that have no message standard can send this, and an adapter for it says only what is the agency's own:
its fields (`adapters/fields.py`), its codes and what they mean, and how a record is told as a fact. An agency with a
format of its own implements `Adapter.read` instead.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Generic, TypeVar, get_args

import orjson
from pydantic import ValidationError

from adapters import claims, csv_rows, drift, ndjson
from adapters.base import (
    Accepted,
    Adapter,
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
from adapters.fields import Record
from adapters.local_time import Told
from adapters.shapes import shape
from schemas.base import Fact, Precision

JSON: Final = "application/json"
LINES: Final = "application/x-ndjson"
LONGEST: Final = 64 * 1024
"""The longest record, in bytes."""

_SEND_AGAIN: Final = "Correct the field and send the record again."
_CODE: Final = re.compile(r"[A-Za-z0-9_-]{1,24}", re.ASCII)
_NOT_A_CODE: Final = "not the form of a code"

R = TypeVar("R", bound=Record)


def _impossible(_record: Record, _received: datetime) -> Iterable[Finding]:
    return ()


@dataclass(frozen=True, slots=True)
class Kind(Generic[R]):
    """A kind of record.

    wire: its model. lane: the strongest identifier it gives for the person, as `Fact.lane`. translate: tells it as a
    fact and adds to the findings what was odd; raises UnknownCode. impossible: what is well formed and cannot be, given
    when it came; it is refused.
    """

    wire: type[R]
    lane: Callable[[R], str]
    translate: Callable[[R, list[Finding]], Fact]
    impossible: Callable[[R, datetime], Iterable[Finding]] = _impossible


class Rules:
    """What any flat record is checked for, under the ids of one agency's series ("XX-001")."""

    def __init__(self, series: str) -> None:
        def rule(number: int, level: Level, sentence: str, fix: str) -> Rule:
            return Rule(f"{series}-{number:03}", level, sentence, fix)

        refuse, warn = Level.REFUSE, Level.WARN
        self.not_readable: Final = rule(
            1,
            refuse,
            "The record is neither one flat JSON object nor a CSV header with one row, in UTF-8",
            "Send it in one of the two forms, as the contract has it.",
        )
        self.kind_missing: Final = rule(2, refuse, "The record does not say of what kind it is", _SEND_AGAIN)
        self.missing: Final = rule(10, refuse, "A required field is missing or empty", _SEND_AGAIN)
        self.malformed: Final = rule(11, refuse, "A field is not of the form the contract gives it", _SEND_AGAIN)
        self.code_not_mapped: Final = rule(
            20, Level.HOLD, "A code is on no list of ours", "Operations: map the code, then redrive the record."
        )
        self.zone_assumed: Final = rule(
            30, warn, "A time has no zone; Europe/London was assumed", "Send times with a zone."
        )
        self.clock_change: Final = rule(
            31, warn, "A time without a zone falls into the hour in which the clocks change", "Send it with a zone."
        )
        self.header_wrong: Final = rule(
            80,
            refuse,
            "The file's first line is not its header, or the header lacks a column or has one twice",
            "Begin the file with the contract's header, separated by commas.",
        )
        self.no_end: Final = rule(
            81,
            refuse,
            "A row does not end: a quotation mark is not closed or stands inside a value, or the row is too long",
            "Write quotation marks within a value twice, and close each.",
        )
        self.by_id: Final[Mapping[str, Rule]] = {
            one.id: one
            for one in (
                self.not_readable,
                self.kind_missing,
                self.missing,
                self.malformed,
                self.code_not_mapped,
                self.zone_assumed,
                self.clock_change,
                self.header_wrong,
                self.no_end,
            )
        }


@dataclass(frozen=True, slots=True)
class Feed:
    """An agency's flat records.

    name: the agency. rules: of its series. names: the field that says of what kind a record is. kinds: those that are
    translated, by that name. ignored: the names of those nobody subscribes to. A name that is neither is held.
    """

    name: str
    rules: Rules
    names: str
    kinds: Mapping[str, Kind[Any]]
    ignored: frozenset[str] = frozenset()

    def adapter(self, own: Iterable[Rule] = ()) -> Adapter:
        """The adapter. own: the rules the agency adds to those of every flat record."""
        common = {**self.rules.by_id}
        if not any(map(_has_times, self.kinds.values())):  # a rule that nothing can break is a promise about nothing
            del common[self.rules.zone_assumed.id], common[self.rules.clock_change.id]
        required = frozenset({self.names}).union(*(map(_required, self.kinds.values()))) if self.kinds else frozenset()
        return Adapter(
            name=self.name,
            read=self.read,
            rules={**common, **{rule.id: rule for rule in own}, **claims.RULES, **drift.RULES},
            records=frozenset({JSON, csv_rows.MEDIA_TYPE}),
            files={
                csv_rows.MEDIA_TYPE: csv_rows.rows(
                    required, LONGEST, header_wrong=self.rules.header_wrong, no_end=self.rules.no_end
                ),
                LINES: ndjson.rows(LONGEST),
            },
        )

    def read(self, message: Message) -> Outcome:
        """Read one record: every fault of it at once, then its codes."""
        told = self._values(message)
        if isinstance(told, Finding):
            return Refused((told,))
        name = told.get(self.names)
        if not isinstance(name, str):
            return Refused((Finding(self.rules.kind_missing, self.names),))
        if name.strip() in self.ignored:
            return Ignored(f"{self.name}.{name.strip()}")
        kind = self.kinds.get(name.strip())
        if kind is None:
            return Held("code_not_mapped", (self._unmapped(f"{self.name}.{self.names}", name.strip()),))
        try:
            record = kind.wire.model_validate(told)
        except ValidationError as error:
            return Refused(tuple(self._faults(error, told)))
        if wrong := tuple(kind.impossible(record, message.received)):
            return Refused(wrong)
        found = list(self._doubts(record))
        try:
            fact = kind.translate(record, found)
        except UnknownCode as unknown:
            unmapped = self._unmapped(unknown.table, unknown.code)
            return Held("code_not_mapped", (*found, unmapped), kind.lane(record))
        return Accepted((fact,), (*found, *drift.besides(kind.wire, told, also=frozenset({self.names}))))

    def _values(self, message: Message) -> dict[str, Any] | Finding:
        """The record's values by their names, without those that are empty."""
        if len(message.body) > 2 * LONGEST:  # a row of a file brings its header with it
            return Finding(self.rules.not_readable, "record", "longer than 64 KiB")
        try:
            if message.media_type == csv_rows.MEDIA_TYPE:
                told: Any = csv_rows.read_row(message.body)
            else:
                told = orjson.loads(message.body.removeprefix(b"\xef\xbb\xbf"))
        except csv_rows.Uneven as uneven:
            return Finding(self.rules.not_readable, "record", uneven.why)
        except ValueError:  # also text that is no UTF-8; what it says may quote the record
            return Finding(self.rules.not_readable, "record")
        if not isinstance(told, dict):
            return Finding(self.rules.not_readable, "record")
        return {name: value for name, value in told.items() if value is not None and not _blank(value)}

    def _faults(self, error: ValidationError, told: Mapping[str, Any]) -> Iterator[Finding]:
        for fault in error.errors(include_input=False, include_context=False, include_url=False):
            field = str(fault["loc"][0])
            if fault["type"] == "missing":
                yield Finding(self.rules.missing, field)
            else:
                value = told.get(field)
                yield Finding(self.rules.malformed, field, shape(value) if isinstance(value, str) else "")

    def _doubts(self, record: Record) -> Iterator[Finding]:
        """What a local time left open."""
        for name, value in record:
            if isinstance(value, Told) and value.moment.zone_assumed and value.moment.precision is not Precision.DAY:
                spelled = type(record).model_fields[name].alias or name
                if value.doubt is not None:
                    yield Finding(self.rules.clock_change, spelled, value.doubt.value)
                else:
                    yield Finding(self.rules.zone_assumed, spelled)

    def _unmapped(self, table: str, code: str) -> Finding:
        return Finding(self.rules.code_not_mapped, table, code if _CODE.fullmatch(code) else _NOT_A_CODE)


def _required(kind: Kind[Any]) -> frozenset[str]:
    return frozenset(field.alias or name for name, field in kind.wire.model_fields.items() if field.is_required())


def _has_times(kind: Kind[Any]) -> bool:
    return any(_holds(field.annotation, Told) for field in kind.wire.model_fields.values())


def _holds(annotation: Any, kind: type) -> bool:
    """Whether a field is of this type, alone or among others."""
    return annotation is kind or any(_holds(part, kind) for part in get_args(annotation))


def _blank(value: Any) -> bool:
    return isinstance(value, str) and not value.strip()
