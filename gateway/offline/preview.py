"""What a LASARS would be told of a record, as the agreements stand: each field by its name, its value by its shape.

Fields are picked by the code that picks them for a delivery. What is missing is what no agreement names.
"""

import enum
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from adapters.base import Accepted
from adapters.shapes import shape
from gateway.addressing.agreements import Agreements
from gateway.addressing.determination import Role
from gateway.offline.records import Examined
from schemas.base import Event

_SERVICE: Final = "lasars"
_CHOSEN: Final = ("scheme", "kind")
"""What agreements choose by, of what there may be many of."""
_WORDS: Final = 6


class _Made(enum.StrEnum):
    """What stands in no event and is made for the delivery."""

    AREA = "the area the postcode lies in"


@dataclass(frozen=True, slots=True)
class Previewed:
    """One event to some roles of an area.

    place: where its record stands. agreement: under which it is told; None where there is none, and the event is held.
    told: the fields and the shapes of their values. silent: it is agreed that nothing is told. informs: it is told only
    where the person has a case.
    """

    place: str
    kind: str
    roles: tuple[str, ...]
    agreement: str | None
    told: tuple[tuple[str, str], ...]
    silent: bool
    informs: bool

    def headline(self) -> str:
        """The record, the kind, to whom and under which agreement."""
        to = f"{self.place}: {self.kind} to {' and '.join(self.roles)}"
        if self.agreement is None:
            return f"{to}: held, no agreement says what may be told"
        if self.silent:
            return f"{to}: nothing, as {self.agreement} says"
        return f"{to}, by {self.agreement}" + (", where there is a case" if self.informs else "")

    def as_json(self) -> dict[str, Any]:
        """The same as plain data."""
        return {
            "kind": self.kind,
            "roles": list(self.roles),
            "agreement": self.agreement,
            "only_with_a_case": self.informs,
            "told": dict(self.told),
        }


def preview(record: Examined, agency: str, agreements: Agreements, on: date) -> tuple[Previewed, ...]:
    """What the LASARS of the home and of the holding area would be told of a record, on that day."""
    if not isinstance(record.outcome, Accepted):
        return ()
    events = (fact.event for fact in record.outcome.facts if fact.event is not None and fact.withdrawn is None)
    return tuple(one for event in events for one in _of(record.place, event, agency, agreements, on))


def _of(place: str, event: Event, agency: str, agreements: Agreements, on: date) -> Iterator[Previewed]:
    whole = event.model_dump(exclude_none=True)
    alike: dict[tuple[str | None, bool, tuple[tuple[str, str], ...]], list[str]] = {}
    for role in Role:
        found = agreements.find(sender=agency, recipient=_SERVICE, kind=event.kind, role=role.value, on=on)
        told = found.of(event, whole, lambda _: _Made.AREA) if found is not None else {}
        leaves = tuple(dict.fromkeys(_leaves(told, "")))
        terms = (found.agreement, found.silent, leaves) if found is not None else (None, False, ())
        alike.setdefault(terms, []).append(role.value)
    for (agreement, silent, leaves), roles in alike.items():
        yield Previewed(place, event.kind, tuple(roles), agreement, leaves, silent, not event.opens_case)


def _leaves(told: Any, path: str) -> Iterator[tuple[str, str]]:
    """The fields as agreements name them ("person.identifiers[pnc].value"), each with what its value looks like."""
    match told:
        case dict():
            for name, inner in told.items():
                yield from _leaves(inner, f"{path}.{name}" if path else name)
        case list() | tuple() | set() | frozenset():
            for inner in told:
                chosen = next((name for name in _CHOSEN if isinstance(inner, dict) and name in inner), None)
                if chosen is None:
                    yield from _leaves(inner, path)
                else:
                    rest = {name: value for name, value in inner.items() if name != chosen}
                    yield from _leaves(rest, f"{path}[{inner[chosen].value}]")
        case _:
            yield path, _drawn(told)


def _drawn(value: Any) -> str:
    """What a value looks like: of a list, what may stand there; else its shape."""
    match value:
        case enum.StrEnum():
            words = [member.value for member in type(value)]
            return ", ".join([*words[:_WORDS], "…"] if len(words) > _WORDS else words)
        case bool():
            return "yes or no"
        case datetime():
            return shape(f"{value:%Y-%m-%d %H:%M}")
        case date():
            return shape(value.isoformat())
        case _:
            return shape(str(value))
