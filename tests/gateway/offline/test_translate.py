"""`lgw translate` prints the canonical events a file becomes, and names what does not become one."""

import io
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from rich.console import Console

from adapters.registry import adapters
from gateway.offline import translate
from gateway.offline.records import Unusable, examine
from gateway.offline.screen import say_record

RECEIVED = datetime(2026, 1, 15, tzinfo=UTC)
EXAMPLES = Path(__file__).parents[3] / "contracts" / "inbound" / "police_custody" / "examples"


def run(*paths: Path, agency: str = "police_custody") -> tuple[int, list[dict[str, object]], str]:
    """The exit code, the facts printed, and what was said of the rest."""
    out, problems = io.StringIO(), io.StringIO()
    code = translate(
        adapters(), agency, paths, console=Console(file=out), problems=Console(file=problems), received=RECEIVED
    )
    return code, [json.loads(line) for line in out.getvalue().splitlines()], problems.getvalue()


def test_a_record_becomes_its_events() -> None:
    """A test and the notice that follows it are two events, whole, a line each."""
    code, facts, problems = run(EXAMPLES / "accepted" / "enfield-test-and-required-assessment.xml")
    assert code == 0
    assert [fact["kind"] for fact in facts] == ["custody.drug-test.recorded", "custody.assessment.required"]
    assert [fact["opens_case"] for fact in facts] == [True, True]
    event = facts[0]["event"]
    assert isinstance(event, dict)
    assert event["person"]["name"] == {"forenames": "Casimir", "surname": "Oakenfold-Rees"}
    assert problems == ""


def test_what_is_taken_back_is_told_without_its_content() -> None:
    """A withdrawal says why, and nothing of what it withdraws."""
    _, (fact,), _ = run(EXAMPLES / "accepted" / "test-not-confirmed-by-laboratory.xml")
    assert (fact["withdrawn"], fact["event"]) == ("not_confirmed_by_laboratory", None)


def test_what_becomes_no_event_is_named() -> None:
    """Refused and held records are told apart from the events, in the very words of `check`, and end with 1."""
    files = (EXAMPLES / "refused" / "due-before-notice.xml", EXAMPLES / "held")
    code, facts, problems = run(*files)
    assert (code, facts) == (1, [])
    checked = io.StringIO()
    for record in examine(adapters()["police_custody"], files, RECEIVED):
        say_record(Console(file=checked), record)
    assert problems == checked.getvalue()


def test_a_refusal_says_what_is_wrong_where_and_what_to_do() -> None:
    """The rule's sentence, the field at fault and the fix stand there, and nothing the record holds."""
    _, _, problems = run(EXAMPLES / "refused" / "due-before-notice.xml")
    (record,) = examine(adapters()["police_custody"], [EXAMPLES / "refused" / "due-before-notice.xml"], RECEIVED)
    (finding,) = record.findings
    told = " ".join(problems.split())
    assert told.startswith("due-before-notice.xml: refused")
    assert all(part in told for part in ("CU-031", finding.field, finding.rule.sentence, finding.rule.fix))
    assert max(map(len, problems.splitlines())) <= 80
    assert "Oakenfold" not in problems


def test_what_cannot_be_tried_is_said_in_a_sentence() -> None:
    """An agency that is none is named, and those there are."""
    with pytest.raises(Unusable, match="There is no agency 'library'"):
        run(EXAMPLES, agency="library")
