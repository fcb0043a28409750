"""A message of every kind, made of examples."""

import random
from datetime import UTC, datetime

import pytest

from adapters.base import Accepted, Message
from adapters.registry import adapters
from gateway.connecting.triggers import CONTRACTS, UnknownKind, by_kind, examples, trigger
from schemas.catalogue import CATALOGUE

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
ADAPTERS = adapters({"gp": {"lasars_services": "*"}})
TOLD = by_kind(ADAPTERS, CONTRACTS, NOW)


def test_every_kind_has_a_trigger() -> None:
    """No kind of the catalogue is left without an example that tells it."""
    assert set(TOLD) == set(CATALOGUE)


@pytest.mark.parametrize("kind", sorted(TOLD))
def test_a_trigger_is_accepted_and_tells_its_kind(kind: str) -> None:
    """At the door it is meant for."""
    example = TOLD[kind]
    adapter = ADAPTERS[example.agency]
    made = trigger(adapter, example, random.Random(kind), NOW)
    assert made.door == "records", "every kind can be sent by itself"
    outcome = adapter.read(Message(made.body, made.media_type, NOW))
    assert isinstance(outcome, Accepted)
    assert kind in [fact.kind for fact in outcome.facts if fact.withdrawn is None]


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


@pytest.mark.parametrize(
    ("kind", "fix"),
    [
        ("imprisonment.recieved", "Did you mean imprisonment.received?"),
        ("prison.received", "Did you mean imprisonment.received?"),
        ("nothing.here", "See which there are with lgw trigger --list."),
        ("", "See which there are with lgw trigger --list."),
    ],
)
def test_what_was_probably_meant_is_told(kind: str, fix: str) -> None:
    """And where nothing is near, where to look."""
    assert UnknownKind(kind, TOLD).fix == fix
