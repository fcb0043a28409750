"""`lgw check`: what would become of each record, said without a single personal value."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain, islice
from pathlib import Path
from textwrap import wrap
from typing import Any, Final

import orjson
from rich.console import Console
from rich.text import Text

from adapters.base import Adapter, Finding, Held, Ignored, Level
from gateway.offline.records import Examined, Unusable, agency_of, examine

LISTED_ONE_BY_ONE: Final = 20
"""Up to so many records are told one by one; more are gathered by cause."""

WIDTH: Final = 80
_PLACES_SHOWN: Final = 5
_LABELS: Final = {Level.REFUSE: "ERR", Level.HOLD: "HOLD", Level.WARN: "WARN"}
_STYLES: Final = {Level.REFUSE: "red", Level.HOLD: "yellow", Level.WARN: "cyan"}


def check(
    adapters: Mapping[str, Adapter],
    agency: str,
    paths: Sequence[Path],
    *,
    console: Console,
    received: datetime,
    as_json: bool = False,
) -> int:
    """Tell on the console what an agency's adapter makes of the records in some files; the exit code.

    0: every record is taken. 1: at least one is held or refused; warnings do not count. 2: it could not be tried.
    as_json: one object a record and nothing else.
    """
    attention = False
    try:
        records = examine(agency_of(adapters, agency), paths, received)
        if as_json:
            for record in records:
                attention |= record.needs_attention
                console.file.write(orjson.dumps(as_object(record)).decode() + "\n")
            return int(attention)
        _say(console, f"Reading as {agency}; nothing leaves this computer.")
        first = list(islice(records, LISTED_ONE_BY_ONE + 1))
        if len(first) <= LISTED_ONE_BY_ONE:
            for record in first:
                _say_record(console, record)
        summary = Summary()
        for record in chain(first, records):
            summary.add(record)
        summary.say(console, causes=len(first) > LISTED_ONE_BY_ONE)
    except Unusable as unusable:
        console.print(Text(str(unusable)))
        return 2
    return int(summary.attention > 0)


def as_object(record: Examined) -> dict[str, Any]:
    """A record's outcome as JSON: record, outcome, findings, kinds; a held one's reason, an ignored one's name."""
    told: dict[str, Any] = {
        "record": record.place,
        "outcome": record.word,
        "kinds": list(record.kinds),
        "findings": [
            {"rule": f.rule.id, "level": f.rule.level.value, "field": f.field, "text": f.text} for f in record.findings
        ],
    }
    match record.outcome:
        case Held(reason=reason):
            told |= {"reason": reason, "owner": "operations"}
        case Ignored(name=name):
            told |= {"name": name}
        case _:
            pass
    return told


@dataclass
class Cause:
    """One rule broken in one field: how often, seen how, and where first."""

    finding: Finding
    times: int = 0
    places: dict[str, list[int]] = field(default_factory=dict)
    shown: int = 0
    details: Counter[str] = field(default_factory=Counter)

    def add(self, finding: Finding, record: Examined) -> None:
        """Count one more, keeping no more than what is shown."""
        self.times += 1
        if self.shown < _PLACES_SHOWN:
            rows = self.places.setdefault(record.file, [])
            if record.row is not None:
                rows.append(record.row)
            self.shown += 1
        if finding.detail and (finding.detail in self.details or len(self.details) < _PLACES_SHOWN):
            self.details[finding.detail] += 1


class Summary:
    """Counts of outcomes, and findings gathered by cause, in memory that does not grow with the records."""

    def __init__(self) -> None:
        self.outcomes: Counter[str] = Counter()
        self.causes: dict[tuple[str, str], Cause] = {}
        self.attention = 0

    def add(self, record: Examined) -> None:
        """Count a record and its findings."""
        self.outcomes[record.word] += 1
        self.attention += record.needs_attention
        for finding in record.findings:
            cause = self.causes.setdefault((finding.rule.id, finding.field), Cause(finding))
            cause.add(finding, record)

    def say(self, console: Console, *, causes: bool) -> None:
        """The counts, after the causes if these are wanted, those that stop most records first."""
        if causes:
            gravity = list(_LABELS)
            for cause in sorted(self.causes.values(), key=lambda c: (gravity.index(c.finding.rule.level), -c.times)):
                _say_cause(console, cause)
        total = self.outcomes.total()
        ready = self.outcomes["accepted"]
        share = f" ({100 * ready / total:.1f} %)" if total else ""
        counts = " · ".join(f"{self.outcomes[word]:,} {word}" for word in ("held", "refused", "ignored"))
        _say(console, f"{_many(total, 'record')} · {ready:,} accepted{share} · {counts}")


def _say_record(console: Console, record: Examined) -> None:
    match record.outcome:
        case Held(reason=reason):
            rest = f"{reason}, owner: operations"
        case Ignored(name=name):
            rest = name
        case _:
            rest = ", ".join(record.kinds)
    _say(console, f"{record.place}: {record.word}" + (f"  {rest}" if rest else ""))
    for finding in record.findings:
        _say_finding(console, finding, f"{finding.field}: {finding.text}")


def _say_cause(console: Console, cause: Cause) -> None:
    rule = cause.finding.rule
    _say_finding(console, cause.finding, f"{cause.times} × {cause.finding.field}: {rule.sentence}. {rule.fix}")
    if cause.details:
        _indented(console, "seen: " + ", ".join(f"{detail} ×{times}" for detail, times in cause.details.most_common()))
    places = [_where(file, rows) for file, rows in cause.places.items()]
    _indented(console, "in: " + "; ".join(places) + (" …" if cause.times > cause.shown else ""))


def _say_finding(console: Console, finding: Finding, sentence: str) -> None:
    label = f"  {_LABELS[finding.rule.level]:<5}{finding.rule.id:<8}"
    first, *others = wrap(sentence, WIDTH - len(label)) or [""]
    console.print(Text(label, _STYLES[finding.rule.level]) + Text(first), soft_wrap=True)
    for line in others:
        console.print(Text(" " * len(label) + line), soft_wrap=True)


def _indented(console: Console, sentence: str) -> None:
    for line in wrap(sentence, WIDTH - 15):
        console.print(Text(" " * 15 + line), soft_wrap=True)


def _say(console: Console, sentence: str) -> None:
    for line in wrap(sentence, WIDTH, subsequent_indent="  "):
        console.print(Text(line), soft_wrap=True)


def _many(number: int, thing: str) -> str:
    return f"{number:,} {thing}" if number == 1 else f"{number:,} {thing}s"


def _where(file: str, rows: Sequence[int]) -> str:
    if not rows:
        return file
    return f"{file} {'row' if len(rows) == 1 else 'rows'} {', '.join(map(str, rows))}"
