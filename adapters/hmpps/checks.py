"""What prison and probation records are checked for alike, each agency by rules of its own."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final, TypeVar

from pydantic import BaseModel, ValidationError

from adapters import json_fields
from adapters.base import Finding, Held, Rule, UnknownCode
from adapters.hmpps.envelope import Faulty
from adapters.local_time import Told
from schemas.base import Precision

SLACK: Final = timedelta(days=1)
"""How far a source's clock may run ahead before its record is taken for a mistake."""

_PRINTABLE: Final = re.compile(r"[A-Za-z0-9_]{1,40}", re.ASCII)

Shape = TypeVar("Shape", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Checks:
    """An agency's own rules for what can be wrong with any of its records, and the checks that find it."""

    missing: Rule
    malformed: Rule
    in_the_future: Rule
    born_in_the_future: Rule
    code_not_mapped: Rule
    zone_assumed: Rule
    clock_change: Rule

    def parsed(self, shape: type[Shape], value: Mapping[str, Any], found: list[Finding], *under: str) -> Shape | None:
        """A part of a record in its shape; None when its faults were added instead. `under` is where it stands."""
        try:
            return shape.model_validate(value)
        except ValidationError as error:
            found.extend(json_fields.faults(error, self.missing, self.malformed, *under))
            return None

    def shaped(self, shape: type[Shape], value: Mapping[str, Any]) -> Shape:
        """A record in its shape. Raises Faulty with every fault."""
        found: list[Finding] = []
        record = self.parsed(shape, value, found)
        if record is None:
            raise Faulty(found)
        return record

    def not_yet(self, told: Told, field: str, received: datetime) -> list[Finding]:
        """A fault where something is said to happen later than any clock's error explains."""
        return [Finding(self.in_the_future, field)] if told.at > received + SLACK else []

    def not_born_yet(self, born: date | None, field: str, received: datetime) -> list[Finding]:
        """A fault where somebody is said to be born later than the record came."""
        return [Finding(self.born_in_the_future, field)] if born is not None and born > received.date() else []

    def clock_doubts(self, told: Told, field: str) -> list[Finding]:
        """What a local time left open."""
        doubts = []
        if told.zone_assumed and told.precision is not Precision.DAY:
            doubts.append(Finding(self.zone_assumed, field))
        if told.doubt is not None:
            doubts.append(Finding(self.clock_change, field, told.doubt.value))
        return doubts

    def held_for(self, unknown: UnknownCode, findings: tuple[Finding, ...], lane: str) -> Held:
        """Held until operations map the code. The code is named only if it looks like one."""
        detail = unknown.code if _PRINTABLE.fullmatch(unknown.code) else "not the form of a code"
        return Held("code_not_mapped", (*findings, Finding(self.code_not_mapped, unknown.table, detail)), lane)
