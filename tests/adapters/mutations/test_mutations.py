"""What becomes of a message that drifts: each field of each example, in each of eight ways, as the tables say.

Nothing is dropped in silence and nothing turns up in a wrong place: a mutated record tells the same, differs exactly
where its table says, or is held or refused by the rule its table names.
"""

import io
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import pytest

from adapters.base import Accepted, Adapter, Ignored, Level, Message, Outcome
from adapters.registry import adapters
from tests.adapters.mutations.csv_document import CsvDocument
from tests.adapters.mutations.difference import differences, not_as_said
from tests.adapters.mutations.json_document import JsonDocument
from tests.adapters.mutations.mutation import Document, Mutation
from tests.adapters.mutations.table import TABLES, Expected, Table, read_table
from tests.adapters.mutations.xml_document import XmlDocument

EXAMPLES: Final = Path(__file__).parents[3] / "contracts" / "inbound"
RECEIVED: Final = datetime(2026, 1, 15, 12, tzinfo=UTC)

FORMATS: Final[dict[str, tuple[str, Callable[[bytes], Document]]]] = {
    ".json": ("application/json", JsonDocument),
    ".xml": ("application/xml", XmlDocument),
    ".csv": ("text/csv", CsvDocument),
}
AGENCIES: Final = sorted(path.stem for path in TABLES.glob("*.toml"))


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


@pytest.mark.parametrize("agency", AGENCIES)
def test_every_mutation_ends_as_the_table_says(agency: str, record_property: Callable[[str, object], None]) -> None:
    """No field can be lost, renamed, emptied, retyped or refilled without the record saying so, or the table."""
    table = read_table(agency)
    adapter = adapters({agency: table.options})[agency]
    wrong: list[str] = []
    counted: Counter[str] = Counter()
    spoken: set[tuple[str, str]] = set()
    for name, suffix, body in examples(table):
        document = FORMATS[suffix][1](body)
        before = read(adapter, suffix, body)
        assert isinstance(before, Accepted), name
        for field in document.fields():
            try:
                spoken.add(table.line_of(name, field))
            except KeyError:
                wrong.append(f"{name} {field}: the table has no line for it")
                continue
            for mutation in Mutation:
                mutated = document.mutated(field, mutation)
                if mutated is None:
                    continue
                expected = table.expected(name, field, mutation)
                counted[expected.word] += 1
                surprises = judged(before, read(adapter, suffix, mutated), expected)
                wrong += [f"{name} {field} {mutation}, {expected.word}: {surprise}" for surprise in surprises]
    for word, number in counted.items():
        record_property(f"{agency}.{word}", number)
    assert wrong == []
    assert table.lines() - spoken == set()
