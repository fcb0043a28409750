"""A check as it stands on a terminal: eighty columns, colour where there is a terminal, and no value of any record."""

from collections.abc import Sequence
from functools import partial
from textwrap import wrap
from typing import Final

from rich.console import Console
from rich.text import Text

from adapters.base import Finding, Held, Ignored, Level
from gateway.offline.preview import Previewed
from gateway.offline.records import Examined
from gateway.offline.report import Report, label, seen, where
from gateway.offline.tally import Cause

WIDTH: Final = 80
_lines: Final = partial(wrap, break_long_words=False, break_on_hyphens=False)
"""A code or a date that a sentence names stays whole, so that it can be found and copied."""
_STYLES: Final = {Level.REFUSE: "red", Level.HOLD: "yellow", Level.WARN: "cyan"}


def say_record(console: Console, record: Examined) -> None:
    """One record, with its findings."""
    match record.outcome:
        case Held(reason=reason):
            rest = f"{reason}, owner: operations"
        case Ignored(name=name):
            rest = name
        case _:
            rest = ", ".join(record.kinds)
    say(console, f"{record.place}: {record.word}" + (f"  {rest}" if rest else ""))
    for finding in record.findings:
        _say_finding(console, finding, f"{_named(finding)}{finding.text}")


def say_report(console: Console, report: Report, *, causes: bool) -> None:
    """Counts, causes if these are wanted, and what else is to be known before the records are sent."""
    say(console, report.headline())
    say(console, report.outcomes())
    if causes:
        for cause in report.tally.ranked():
            _say_cause(console, cause)
    if repeats := report.repeats():
        say(console, repeats)
    for number, line in enumerate(report.homes()):
        say(console, f"  {line}" if number else line)
    if codes := report.codes_told():
        say(console, f"Not mapped: {', '.join(codes)}")


def say_previews(console: Console, previewed: Sequence[Previewed]) -> None:
    """What a LASARS would be told, field by field."""
    say(console, "What a LASARS would be told, each value by its shape or by what may stand there:")
    for one in previewed:
        say(console, one.headline())
        for name, drawn in one.told:
            say(console, f"    {name}: {drawn}")


def say(console: Console, sentence: str) -> None:
    """A sentence, in as many lines as it takes."""
    indent = " " * (len(sentence) - len(sentence.lstrip()))
    for line in _lines(sentence.strip(), WIDTH, initial_indent=indent, subsequent_indent=f"{indent}  "):
        console.print(Text(line), soft_wrap=True)


def _named(finding: Finding) -> str:
    """The field, where it is one that is at fault and not the record as a whole."""
    return f"{finding.field}: " if finding.field else ""


def _say_cause(console: Console, cause: Cause) -> None:
    rule = cause.finding.rule
    _say_finding(console, cause.finding, f"{cause.times:,} × {_named(cause.finding)}{rule.sentence}. {rule.fix}")
    if cause.details:
        _indented(console, f"seen: {seen(cause)}")
    _indented(console, f"in: {where(cause)}")


def _say_finding(console: Console, finding: Finding, sentence: str) -> None:
    margin = f"  {label(finding.rule):<5}{finding.rule.id:<8}"
    first, *others = _lines(sentence, WIDTH - len(margin)) or [""]
    console.print(Text.assemble((margin, _STYLES[finding.rule.level]), first), soft_wrap=True)
    for line in others:
        console.print(Text(" " * len(margin) + line), soft_wrap=True)


def _indented(console: Console, sentence: str) -> None:
    for line in _lines(sentence, WIDTH - 15):
        console.print(Text(" " * 15 + line), soft_wrap=True)
