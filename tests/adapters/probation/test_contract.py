"""What contracts/inbound/probation promises in writing is what the adapter does."""

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from adapters.base import Held, Ignored
from adapters.probation.adapter import SUBSCRIBED
from adapters.probation.rules import RULES
from adapters.probation.wire import Requirement, Snapshot
from schemas.supervision import SUPERVISION_EVENTS
from tests.adapters.probation.records import event, read

CONTRACT = Path("contracts/inbound/probation")
NEED = Draft202012Validator(json.loads((CONTRACT / "need.schema.json").read_text()))
EXAMPLES = sorted(CONTRACT.glob("examples/*/*need*.json"))


@pytest.fixture(scope="module")
def listed() -> dict[str, Any]:
    return tomllib.loads((CONTRACT / "subscribed.toml").read_text())


def test_the_list_of_kinds_is_the_adapters(listed: dict[str, Any]) -> None:
    """Every kind that is read is on the list, and together they tell every kind there is."""
    assert {entry["event_type"] for entry in listed["subscribed"]} == SUBSCRIBED
    kinds = {event.model_fields["kind"].default for event in SUPERVISION_EVENTS}
    assert {kind for entry in listed["subscribed"] for kind in entry["tells"]} == kinds


def test_what_needs_its_case_waits_without_one(listed: dict[str, Any]) -> None:
    """The list says which events are pointers, and they are the ones that wait."""
    said = {
        "eventNumber": "2",
        "requirementId": "2500412207",
        "licenceId": "48213",
        **{"sourceCRN": "X482699", "targetCRN": "X482713"},
        **{"reactivatedCRN": "X482699", "unmergedCRN": "X482713"},
    }
    for entry in listed["subscribed"]:
        outcome = read(event(entry["event_type"], **said))
        waits = isinstance(outcome, Held) and outcome.reason == "pointer_not_filled"
        assert waits is entry["needs_snapshot"], entry["event_type"]


def test_what_is_not_subscribed_is_ignored(listed: dict[str, Any]) -> None:
    """The kinds one might expect, and why not, are ignored as the list says."""
    for entry in listed["not_subscribed"]:
        assert read(event(entry["event_type"])) == Ignored(entry["event_type"])
        assert entry["why"]


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_the_published_schema_judges_the_examples_as_we_do(path: Path) -> None:
    """A need we accept is valid by the schema; one we refuse or hold for its content is not."""
    assert NEED.is_valid(json.loads(path.read_text())) == (path.parent.name == "accepted")


def test_the_fields_we_read_of_a_case_are_published() -> None:
    """The contract names every field of a case that is read."""
    text = (CONTRACT / "README.md").read_text()
    named = re.search(r"`(otherIds.*?)`", text, re.DOTALL)
    assert named is not None
    words = set(re.split(r"[\s\[\]]+", named[1])) - {""}
    aliases = {field.alias for shape in (Snapshot, Requirement) for field in shape.model_fields.values()}
    assert aliases - {"category"} <= words


def test_rule_ids_are_in_order_and_their_own_keys() -> None:
    """A rule is found by its id, and no id is used twice."""
    assert list(RULES) == sorted(RULES)
    assert all(rule.id == key for key, rule in RULES.items())
