"""Of one record a hundred findings are told, and the others counted, whatever became of it."""

import json
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.base import Finding, Ignored, Level, Message, Rule
from adapters.findings import MORE, MOST, told
from adapters.registry import TRYING, adapters
from gateway.offline.check import as_object
from gateway.offline.records import Examined

INBOUND = Path(__file__).parents[2] / "contracts" / "inbound"
RECEIVED = datetime(2026, 11, 22, 9, tzinfo=UTC)
AGENCIES = adapters(TRYING)
RULES = {f"XX-00{number}": Rule(f"XX-00{number}", level, "Wrong", "Mend it.") for number, level in enumerate(Level)}

findings = st.lists(
    st.builds(Finding, st.sampled_from(list(RULES.values())), st.sampled_from("abc")), max_size=3 * MOST
)


@given(findings)
def test_what_is_not_told_one_by_one_is_counted(found: list[Finding]) -> None:
    """Told and counted together are all of them, rule by rule, and no more than a hundred and one are told."""
    kept = told(tuple(found))
    one_by_one = [one for one in kept if one.rule is not MORE]
    assert len(one_by_one) == min(len(found), MOST)
    assert len(kept) - len(one_by_one) == (len(found) > MOST)
    left = Counter(one.rule.id for one in found) - Counter(one.rule.id for one in one_by_one)
    if left:
        assert kept[-1].rule is MORE
        assert kept[-1].detail == f"{left.total()} more: " + ", ".join(
            f"{r} {n} times" for r, n in sorted(left.items())
        )


@given(findings)
def test_what_is_told_stands_in_its_order_and_is_the_worst(found: list[Finding]) -> None:
    """A fault that refuses the record is never left out for a warning."""
    kept = iter(found)
    one_by_one = [one for one in told(tuple(found)) if one.rule is not MORE]
    assert all(any(one is other for other in kept) for one in one_by_one)
    for worse, lesser in ((Level.REFUSE, Level.HOLD), (Level.HOLD, Level.WARN)):
        all_told = sum(one.rule.level is worse for one in one_by_one) == sum(one.rule.level is worse for one in found)
        assert all_told or not any(one.rule.level is lesser for one in one_by_one)


@pytest.mark.parametrize(
    ("agency", "example", "media_type", "place", "outcome"),
    [
        ("prison", "held/need-substance-not-mapped", "application/json", ("substances",), "refused"),
        ("gp", "held/priority-not-known", "application/fhir+json", ("entry", 2, "resource", "name"), "held"),
        ("gp", "accepted/oddities", "application/fhir+json", ("entry", 1, "resource", "reasonCode"), "accepted"),
    ],
)
def test_a_record_of_thousands_of_faults_is_told_briefly(
    agency: str, example: str, media_type: str, place: tuple[str | int, ...], outcome: str
) -> None:
    """It is refused, held or accepted as before, with a hundred findings and the count of the others."""
    document = json.loads((INBOUND / agency / "examples" / f"{example}.json").read_text(encoding="utf-8"))
    part: Any = document
    for step in place[:-1]:
        part = part[step]
    part[place[-1]] = [{"x": 1}] * 5000
    became = AGENCIES[agency].read(Message(json.dumps(document).encode(), media_type, RECEIVED))
    shown = as_object(Examined("a file", None, became))
    assert shown["outcome"] == outcome
    assert len(shown["findings"]) == MOST + 1
    assert shown["findings"][-1]["rule"] == MORE.id
    assert not isinstance(became, Ignored)
    counted = sum(int(part.split(" ")[1]) for part in became.findings[-1].detail.partition(": ")[2].split(", "))
    assert counted + MOST >= 5000
