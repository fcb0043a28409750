"""Each field of each example of an agency, in each of eight ways, against what its table expects."""

import io
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from adapters.base import Accepted, Adapter, Ignored, Level, Message, Outcome
from adapters.gp.edifact import fhsreg
from adapters.gp.hl7 import batch as hl7_batch
from adapters.registry import adapters
from tests.adapters.mutations.csv_document import CsvDocument
from tests.adapters.mutations.difference import differences, not_as_said
from tests.adapters.mutations.edifact_document import EdifactDocument
from tests.adapters.mutations.fixed_width_document import FixedWidthDocument
from tests.adapters.mutations.hl7_document import Hl7Document
from tests.adapters.mutations.json_document import JsonDocument
from tests.adapters.mutations.mutation import Document, Mutation
from tests.adapters.mutations.table import Expected, Table
from tests.adapters.mutations.xml_document import XmlDocument

EXAMPLES: Final = Path(__file__).parents[3] / "contracts" / "inbound"
RECEIVED: Final = datetime(2026, 1, 15, 12, tzinfo=UTC)

FORMATS: Final[dict[str, tuple[str, Callable[[bytes], Document]]]] = {
    ".json": ("application/json", JsonDocument),
    ".xml": ("application/xml", XmlDocument),
    ".csv": ("text/csv", CsvDocument),
    ".txt": ("text/plain", FixedWidthDocument),
    ".edi": (fhsreg.MEDIA_TYPE, EdifactDocument),
    ".hl7": (hl7_batch.MEDIA_TYPE, Hl7Document),
}


@dataclass(slots=True)
class Trial:
    """What came of an agency's trial.

    wrong: everything that was other than the table says, a sentence each. counted: how many mutations were expected to
    end in each word. idle: the lines of the table that speak of no field of any example.
    """

    wrong: list[str] = field(default_factory=list)
    counted: Counter[str] = field(default_factory=Counter)
    idle: set[tuple[str, str]] = field(default_factory=set)


def examples(table: Table) -> Iterator[tuple[str, str, bytes]]:
    """Each record of the examples the table names: the file's name, its format, and its bytes."""
    adapter = adapters({table.agency: table.options})[table.agency]
    for pattern in table.examples:
        found = sorted((EXAMPLES / table.agency / "examples").glob(pattern))
        assert found, f"no example is {pattern}"
        for path in found:
            media_type = FORMATS[path.suffix][0]
            body = path.read_bytes()
            if media_type in adapter.files:
                body = next(iter(adapter.files[media_type](io.BytesIO(body)))).body
            yield path.name, path.suffix, body


def rules_of(outcome: Outcome) -> Counter[str]:
    """How often each rule is told of."""
    return Counter() if isinstance(outcome, Ignored) else Counter(finding.rule.id for finding in outcome.findings)


def judged(before: Accepted, after: Outcome, expected: Expected) -> list[str]:
    """Everything in which a mutated record is other than expected."""
    word = {"Held": "held", "Refused": "refused", "Ignored": "ignored"}.get(type(after).__name__, "accepted")
    if word != ("accepted" if expected.word in ("same", "changes") else expected.word):
        return [f"{word} {sorted(rules_of(after))}"]
    wrong = []
    if isinstance(after, Accepted):
        anew = frozenset(rules_of(after) - rules_of(before))
        wrong += not_as_said(differences(before.facts, after.facts), expected.places)
    else:
        levels = {"held": Level.HOLD, "refused": Level.REFUSE, "ignored": None}
        findings = () if isinstance(after, Ignored) else after.findings
        anew = frozenset(finding.rule.id for finding in findings if finding.rule.level is levels[word])
    if anew != expected.rules:
        wrong.append(f"rules {sorted(anew)}, not {sorted(expected.rules)}")
    return wrong


def read(adapter: Adapter, suffix: str, body: bytes) -> Outcome:
    """What becomes of one record."""
    return adapter.read(Message(body, FORMATS[suffix][0], RECEIVED))


def tried(table: Table) -> Trial:
    """Every mutation of every field of the table's examples."""
    adapter = adapters({table.agency: table.options})[table.agency]
    trial = Trial(idle=table.lines())
    for name, suffix, body in examples(table):
        document = FORMATS[suffix][1](body)
        before = read(adapter, suffix, body)
        assert isinstance(before, Accepted), name
        for path in document.fields():
            try:
                trial.idle.discard(table.line_of(name, path))
            except KeyError:
                trial.wrong.append(f"{name} {path}: the table has no line for it")
                continue
            for mutation in Mutation:
                mutated = document.mutated(path, mutation)
                if mutated is None:
                    continue
                expected = table.expected(name, path, mutation)
                trial.counted[expected.word] += 1
                for surprise in judged(before, read(adapter, suffix, mutated), expected):
                    trial.wrong.append(f"{name} {path} {mutation}, {expected.word}: {surprise}")
    return trial
