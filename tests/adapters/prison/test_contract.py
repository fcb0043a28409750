"""What contracts/inbound/prison promises in writing is what the adapter does."""

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from adapters.prison.adapter import MOVEMENTS, SUBSCRIBED
from adapters.prison.movement import Family
from adapters.prison.rules import RULES
from adapters.prison.wire import Snapshot, SnapshotAddress
from schemas.imprisonment import IMPRISONMENT_EVENTS
from tests.adapters.prison.outcomes import ignored_as
from tests.adapters.prison.records import event, read

CONTRACT = Path("contracts/inbound/prison")
NEED = Draft202012Validator(json.loads((CONTRACT / "need.schema.json").read_text()))
EXAMPLES = sorted(CONTRACT.glob("examples/*/*need*.json"))


@pytest.fixture(scope="module")
def listed() -> dict[str, Any]:
    return tomllib.loads((CONTRACT / "subscribed.toml").read_text())


def test_the_list_of_kinds_is_the_adapters(listed: dict[str, Any]) -> None:
    """Every kind that is read is on the list, with its family, and tells kinds that exist."""
    assert {entry["event_type"] for entry in listed["subscribed"]} == SUBSCRIBED
    families = {entry["event_type"]: Family(entry["family"]) for entry in listed["subscribed"] if "family" in entry}
    assert families == {name: family for name, (family, _) in MOVEMENTS.items()}
    kinds = {event.model_fields["kind"].default for event in IMPRISONMENT_EVENTS}
    assert {kind for entry in listed["subscribed"] for kind in entry["tells"]} == kinds


def test_what_is_not_subscribed_is_ignored(listed: dict[str, Any]) -> None:
    """The kinds one might expect, and why not, are ignored as the list says."""
    for entry in listed["not_subscribed"]:
        assert ignored_as(read(event(entry["event_type"]))) == entry["event_type"]
        assert entry["why"]


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_the_published_schema_judges_the_examples_as_we_do(path: Path) -> None:
    """A need we accept is valid by the schema; one we refuse or hold for its content is not."""
    assert NEED.is_valid(json.loads(path.read_text())) == (path.parent.name == "accepted")


def test_the_fields_we_read_of_a_snapshot_are_published() -> None:
    """The contract names every field of a snapshot that is read, and none that is not."""
    text = (CONTRACT / "README.md").read_text()
    section = text[text.index("## The snapshot") : text.index("Prisoner search does not say")]
    named = re.search(r"`(prisonerNumber.*?)`", section, re.DOTALL)
    assert named is not None
    words = set(re.split(r"[\s\[\]]+", named[1])) - {""}
    ours = {"endDate", "addressUsages", "confirmed"}  # not prisoner search's own; the paragraph after tells them
    read_fields = {field.alias for shape in (Snapshot, SnapshotAddress) for field in shape.model_fields.values()}
    assert words == read_fields - ours


def test_rule_ids_are_in_order_and_their_own_keys() -> None:
    """A rule is found by its id, and no id is used twice."""
    assert list(RULES) == sorted(RULES)
    assert all(rule.id == key for key, rule in RULES.items())
    assert len({rule.sentence for rule in RULES.values()}) == len(RULES)
