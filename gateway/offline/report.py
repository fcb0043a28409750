"""What a report of many records says, for the terminal and the page alike; no value of any record is in it."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from adapters.base import Level, Rule
from gateway.offline.file_facts import FileFacts
from gateway.offline.homes import Homes, coverage
from gateway.offline.mapping import Codes, unknown_kinds, unmapped
from gateway.offline.preview import Previewed
from gateway.offline.profile import Field, Profile
from gateway.offline.survey import Survey
from gateway.offline.tally import Cause, Tally
from gateway.pages import render
from gateway.wording import many
from schemas.places import Places

CONTRACTS: Final = Path(__file__).parents[2] / "contracts" / "inbound"

_LABELS: Final = {Level.REFUSE: "ERR", Level.HOLD: "HOLD", Level.WARN: "WARN"}
_SHAPES_SHOWN: Final = 5
_CODES_SHOWN: Final = 20


@dataclass(frozen=True, slots=True)
class FieldTold:
    """One line of the table of fields."""

    name: str
    filled: str
    distinct: str
    shapes: str
    dates: str


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that is told of some files.

    agency: whose adapter read them. when: at what time that was. previewed: what a LASARS would be told of the first
    records that are ready.
    """

    agency: str
    when: datetime
    survey: Survey
    places: Places
    previewed: tuple[Previewed, ...] = ()

    @property
    def tally(self) -> Tally:
        """What was counted."""
        return self.survey.tally

    @property
    def files(self) -> tuple[FileFacts, ...]:
        """The files."""
        return self.survey.files

    def headline(self) -> str:
        """Records, how many of them are ready, how many need somebody, and for how many causes."""
        tally = self.tally
        ready = tally.outcomes["accepted"]
        needing = sum(cause.finding.rule.level is not Level.WARN for cause in tally.causes.values())
        parts = [
            many(tally.records, "record"),
            f"{ready:,} ready ({percent(ready, tally.records)})",
            f"{tally.attention:,} need attention",
            many(needing, "cause"),
        ]
        return " · ".join(parts)

    def outcomes(self) -> str:
        """How many records of each outcome."""
        return " · ".join(
            f"{self.tally.outcomes[word]:,} {word}" for word in ("accepted", "held", "refused", "ignored")
        )

    def codes(self) -> Codes:
        """The codes no table knows."""
        return unmapped(self.tally.codes)

    def codes_told(self) -> list[str]:
        """The same, those met most often first: the table, the code and how often."""
        return list(_ranked(self.codes()))

    def kinds_told(self) -> list[str]:
        """The codes naming a kind of record nobody reads, those met most often first: field, code and how often."""
        return list(_ranked(unknown_kinds(self.agency, self.tally.codes)))

    def repeats(self) -> str | None:
        """Records that tell what one before them has told, or None."""
        times, rows = self.tally.repeats.found()
        if not times:
            return None
        where = f"rows {', '.join(map(str, rows))}{' …' if times > len(rows) else ''}"
        return f"{many(times, 'record')} telling again what stands before, in the same version: {where}"

    def homes(self) -> list[str]:
        """How many homes are known, by what table, and why the others are not; nothing where nobody was asked."""
        homes = self.tally.homes
        if not homes.records:
            return []
        told = [
            f"Home area resolved {percent(homes.resolved, homes.records)}, by the {coverage(self.places)}",
            *_areas(homes),
        ]
        if homes.causes:
            causes = ", ".join(f"{cause} ×{times:,}" for cause, times in homes.causes.most_common())
            told.append(f"not resolved: {causes}")
        return told

    def identifiers(self) -> list[str]:
        """Per scheme, how many were given and how many of them nobody can be found by."""
        schemes = sorted({scheme for scheme, _ in self.tally.identifiers})
        told = []
        for scheme in schemes:
            right, wrong = (self.tally.identifiers[scheme, good] for good in (True, False))
            told.append(f"{scheme}: {right + wrong:,} given, {wrong:,} wrong or standing for an unknown one")
        return told

    def fields(self) -> list[FieldTold]:
        """The table of fields, in the order they were met."""
        return list(_fields(self.tally.profile, _words(self.agency)))

    def as_html(self) -> str:
        """The report as one page that needs nothing else."""
        return render("check", report=self, label=label, where=where, seen=seen)


def _ranked(codes: Codes) -> Iterator[str]:
    """Codes as they are listed, up to so many."""
    ranked = sorted(codes.items(), key=lambda item: (-item[1], item[0]))
    for (place, code), times in ranked[:_CODES_SHOWN]:
        yield f"{place} {code} ×{times:,}"
    if len(ranked) > _CODES_SHOWN:
        yield f"and {len(ranked) - _CODES_SHOWN:,} more"


def label(rule: Rule) -> str:
    """How grave it is to break a rule, in a word."""
    return _LABELS[rule.level]


def seen(cause: Cause) -> str:
    """The shapes or codes seen, those seen most often first."""
    return ", ".join(f"{detail} ×{times:,}" for detail, times in cause.details.most_common())


def where(cause: Cause) -> str:
    """The first places, and whether there are more."""
    places = [_place(file, rows) for file, rows in cause.places.items()]
    return "; ".join(places) + (" …" if cause.times > cause.shown else "")


def percent(part: int, whole: int) -> str:
    """A share, never rounded up to all of them."""
    if not whole:
        return "0.0 %"
    share = 100 * part / whole
    return f"{min(share, 99.9) if part < whole else share:.1f} %"


def _place(file: str, rows: Sequence[int]) -> str:
    if not rows:
        return file
    return f"{file} {'row' if len(rows) == 1 else 'rows'} {', '.join(map(str, rows))}"


def _areas(homes: Homes) -> list[str]:
    told = [f"{name} {times:,}" for name, times in homes.areas.most_common()]
    if homes.outside:
        told.append(f"outside every area {homes.outside:,}")
    return [", ".join(told)] if told else []


def _fields(profile: Profile, known: frozenset[str]) -> Iterator[FieldTold]:
    for number, (name, counted) in enumerate(profile.fields.items(), 1):
        # A name that is not in the contract may be anything, also somebody's.
        named = name if known.issuperset(re.findall(r"[\w-]+", name)) else f"field {number}, not in the contract"
        many_values, exact = counted.distinct.count()
        yield FieldTold(
            named,
            percent(counted.filled, profile.records),
            f"{many_values:,}" if exact else f"about {many_values:,}",
            _shapes(counted),
            ", ".join(f"{odd} ×{times:,}" for odd, times in counted.dates.most_common()),
        )


def _shapes(counted: Field) -> str:
    common = counted.shapes.most_common(_SHAPES_SHOWN)
    rest = counted.shapes.total() + counted.other_shapes - sum(times for _, times in common)
    told = [f"{drawn} ×{times:,}" for drawn, times in common]
    return ", ".join([*told, f"others ×{rest:,}"] if rest else told)


def _words(agency: str) -> frozenset[str]:
    """Every word of an agency's published contract and its examples: what a field may be called by."""
    files = [path for path in (CONTRACTS / agency).rglob("*") if path.is_file()]
    texts = (path.read_bytes().decode("utf-8", "replace") for path in files)
    return frozenset(word for text in texts for word in re.findall(r"[\w-]+", text))
