"""What gets through of a case: what the contract names, of any shape, and nothing else."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.base import Accepted, Ignored
from adapters.probation import build
from tests.adapters.probation.records import (
    DELIUS,
    address,
    case,
    conviction,
    event,
    facts,
    filled,
    read,
    requirement,
)

EXAMPLES = sorted(Path("contracts/inbound/probation/examples").glob("*/*.json"))
RECORDS = [json.loads(path.read_text()) for path in EXAMPLES if path.name != "not-json.json"]
RULES = build({}).rules
CANARY = "zq7f-not-for-us"

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


def objects(value: Any) -> Iterator[dict[str, Any]]:
    """Every object in a document, itself included."""
    if isinstance(value, dict):
        yield value
        for inner in value.values():
            yield from objects(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from objects(inner)


def test_nothing_of_a_case_gets_through_that_is_not_named() -> None:
    """With a field of nobody's business beside every field there is, all that is told is told as without."""
    whole = case(
        address(type={"code": "A01C"}),
        additionalIdentifiers=[{"type": {"code": "MFCRN"}, "value": "X482699"}],
        offenderAliases=[{"firstName": "Odile", "surname": "Thistle"}],
        convictions=[conviction()],
        requirements=[requirement()],
    )
    crowded = json.loads(json.dumps(whole))
    for one in list(objects(crowded)):
        one |= {"religion": CANARY, "notes": {"text": CANARY}, "telephone": [CANARY], "description": CANARY}
    crowded["convictions"][0]["sentence"]["description"] = "Community Order"
    crowded["offenderManagers"][0]["team"]["description"] = "Stockport team 1"
    for told in (
        event(f"{DELIUS}requirement.created", requirementId="2500412207"),
        event(f"{DELIUS}sentence.created", eventNumber="2"),
        event("person.community.manager.transferred"),
        event("enforcement.breach.raised"),
    ):
        outcome = read(filled(told, crowded))
        assert outcome == read(filled(told, whole))
        assert CANARY not in str(facts(outcome))


@pytest.mark.parametrize("mark", [True, "false", 0, None, "yes"])
def test_a_flag_of_limits_is_a_flag(mark: Any) -> None:
    """Whether access is limited is never guessed: a flag, or a refusal; null is not set."""
    outcome = read(filled(event("enforcement.breach.raised"), case(currentRestriction=mark)))
    if isinstance(outcome, Accepted):
        told = facts(outcome)["breached"].event
        assert told is not None
        assert ("lao" in told.sensitivity) is (mark is True or mark == "yes")
    else:
        assert not isinstance(mark, bool)


@pytest.mark.parametrize("snapshot", [None, {}])
def test_the_prison_number_of_the_event_is_kept(snapshot: dict[str, Any] | None) -> None:
    """A licence event names the prisoner; where the case does not, the event's number is told."""
    licence = event("create-and-vary-a-licence.licence.activated", licenceId="1")
    licence["personReference"]["identifiers"].append({"type": "NOMS", "value": "A4827KX"})
    known = {"crn": "X482713"} | ({"nomsNumber": "A4827KX"} if snapshot is None else {})
    told = facts(read(filled(licence, case(otherIds=known))))["licence-activated"].event
    assert told is not None
    assert [one.value for one in told.person.identifiers] == ["X482713", "A4827KX"]


@settings(max_examples=300, deadline=None)
@given(record=st.sampled_from(RECORDS), data=st.data())
def test_no_retyped_field_raises_and_every_finding_is_by_a_known_rule(record: dict[str, Any], data: Any) -> None:
    """Any field of any record replaced by any JSON value ends in one outcome, its findings by rules we publish."""
    broken = json.loads(json.dumps(record))
    places = [(one, name) for one in objects(broken) for name in one]
    inside, name = data.draw(st.sampled_from(places))
    inside[name] = data.draw(JSON)
    outcome = read(json.dumps(broken).encode("utf-8", "surrogatepass"))
    if not isinstance(outcome, Ignored):
        assert all(finding.rule.id in RULES for finding in outcome.findings)
