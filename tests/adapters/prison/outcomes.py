"""Taking an outcome apart, and saying what it was when it is not the one expected."""

from adapters.base import Accepted, Held, Ignored, Outcome, Refused
from schemas.base import Fact
from schemas.imprisonment import ImprisonmentEvent


def fact(outcome: Outcome) -> Fact:
    """The one fact of an accepted record."""
    assert isinstance(outcome, Accepted), outcome
    (only,) = outcome.facts
    return only


def told(outcome: Outcome) -> ImprisonmentEvent:
    """The one event of an accepted record."""
    event = fact(outcome).event
    assert isinstance(event, ImprisonmentEvent)
    return event


def rule_ids(outcome: Outcome) -> list[str]:
    """The rules a record broke, in order."""
    assert not isinstance(outcome, Ignored), outcome
    return [finding.rule.id for finding in outcome.findings]


def faults(outcome: Outcome) -> set[tuple[str, str]]:
    """What a refused record was refused for: rule and field."""
    assert isinstance(outcome, Refused), outcome
    return {(finding.rule.id, finding.field) for finding in outcome.findings}


def held_for(outcome: Outcome) -> str:
    """Why a record is held."""
    assert isinstance(outcome, Held), outcome
    return outcome.reason


def ignored_as(outcome: Outcome) -> str:
    """The name a record is counted by."""
    assert isinstance(outcome, Ignored), outcome
    return outcome.name
