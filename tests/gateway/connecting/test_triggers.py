"""A message of every kind, made of examples."""

import random
from datetime import UTC, datetime
from pathlib import Path

import pytest

from adapters.base import Accepted, Message
from adapters.registry import adapters
from gateway.connecting.triggers import CONTRACTS, Example, by_kind, examples, trigger
from gateway.offline.records import examine
from schemas.catalogue import CATALOGUE

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
ADAPTERS = adapters({"gp": {"lasars_services": "*"}})
TOLD = by_kind(ADAPTERS, CONTRACTS, NOW)


def test_every_kind_has_a_trigger() -> None:
    """No kind of the catalogue is left without an example that tells it."""
    assert set(TOLD) == set(CATALOGUE)


@pytest.mark.parametrize("kind", sorted(TOLD))
def test_a_trigger_is_accepted_and_tells_its_kind(kind: str, tmp_path: Path) -> None:
    """What `lgw check` says of each: accepted, and of that kind."""
    example = TOLD[kind]
    adapter = ADAPTERS[example.agency]
    made = trigger(adapter, example, random.Random(kind), NOW)
    file = tmp_path / f"message{_suffix(example)}"
    file.write_bytes(made.body)
    found = list(examine(adapter, [file], NOW))
    assert kind in {told for one in found for told in one.kinds}
    assert {one.word for one in found} == {"accepted"}


@pytest.mark.parametrize("kind", sorted(TOLD))
def test_a_trigger_speaks_of_somebody_else_each_time(kind: str) -> None:
    """No identifier, name or fact of the example is left, nor one of the trigger before."""
    example = TOLD[kind]
    chance = random.Random(1)
    adapter = ADAPTERS[example.agency]
    keys = {fact.key for fact in example.outcome.facts}
    lanes = {fact.lane for fact in example.outcome.facts}
    for _ in range(3):
        made = trigger(adapter, example, chance, NOW)
        if made.door == "files":
            continue
        outcome = adapter.read(Message(made.body, made.media_type, NOW))
        assert isinstance(outcome, Accepted)
        new = {fact.lane for fact in outcome.facts}
        assert new.isdisjoint(lanes)
        assert {fact.key for fact in outcome.facts}.isdisjoint(keys)
        lanes |= new
        keys |= {fact.key for fact in outcome.facts}


@pytest.mark.parametrize("agency", sorted(ADAPTERS))
def test_every_accepted_example_can_be_told_of_somebody_else(agency: str) -> None:
    """The same events, whoever they are told of."""
    for example in examples(ADAPTERS[agency], CONTRACTS, NOW):
        if example.outcome.facts:
            made = trigger(ADAPTERS[agency], example, random.Random(2), NOW)
            assert set(made.kinds) >= set(example.kinds)


def _suffix(example: Example) -> str:
    if example.media_type == "text/csv":
        return ".csv"
    return ".jsonl" if example.media_type == "application/x-ndjson" else example.file.suffix
