"""How many findings of one record are told: enough to mend it by, and never as many as somebody cares to cause.

A record of a megabyte can break a rule some ten thousand times. Whoever mends it looks at the first few; all of them
together would be kept, answered and shown to nobody's use.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Final

from adapters.base import Accepted, Adapter, Finding, Held, Ignored, Level, Message, Outcome, Read, Refused, Rule

MOST: Final = 100
"""Findings of one record that are told one by one."""

MORE: Final = Rule(
    "FD-002",
    Level.WARN,
    "More was found in the record than is told one by one",
    "Mend what is told first; what is left is told when the record comes again.",
)

RULES: Final = {MORE.id: MORE}

_WORST_FIRST: Final = (Level.REFUSE, Level.HOLD, Level.WARN)


def told(findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """The findings in their order; of too many the worst, and a last one that counts the others by their rules."""
    if len(findings) <= MOST:
        return findings
    worst = sorted(range(len(findings)), key=lambda place: _WORST_FIRST.index(findings[place].rule.level))
    kept = [findings[place] for place in sorted(worst[:MOST])]
    left = Counter(findings[place].rule.id for place in worst[MOST:])
    return (*kept, Finding(MORE, "record", _counted(left)))


def bounded(adapter: Adapter) -> Adapter:
    """The same adapter, which tells of no record more than `MOST` findings and the count of the others."""
    return replace(adapter, read=partial(_read, adapter.read), rules={**adapter.rules, **RULES})


def _read(read: Read, message: Message) -> Outcome:
    outcome = read(message)
    match outcome:
        case Ignored():
            return outcome
        case Accepted() | Held() | Refused():
            findings = told(outcome.findings)
            return outcome if findings is outcome.findings else replace(outcome, findings=findings)


def _counted(left: Counter[str]) -> str:
    rules: Sequence[str] = [f"{rule} {times} times" for rule, times in sorted(left.items())]
    return f"{left.total()} more: {', '.join(rules)}"
