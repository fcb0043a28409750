import json
from typing import Any

import pytest
from pydantic import ValidationError

from schemas.base import Standing
from schemas.imprisonment import IMPRISONMENT_EVENTS, DatesChanged, ImprisonmentEvent, NeedIdentified, Received


def example(event: type[ImprisonmentEvent]) -> dict[str, Any]:
    (only,) = event.model_json_schema()["examples"]
    assert isinstance(only, dict)
    return only


@pytest.mark.parametrize("event", IMPRISONMENT_EVENTS, ids=lambda event: event.__name__)
def test_every_example_is_an_event_of_its_kind(event: type[ImprisonmentEvent]) -> None:
    """The example in the contract can be read, and says its own kind."""
    read = event.model_validate_json(json.dumps(example(event)))
    assert read.kind == example(event)["kind"]
    assert read.topic == "imprisonment.v1"


def test_every_kind_is_its_own() -> None:
    """No two events share a kind."""
    kinds = [event.model_fields["kind"].default for event in IMPRISONMENT_EVENTS]
    assert len(set(kinds)) == len(kinds)


def test_only_a_need_opens_a_case() -> None:
    """Everything a prison does to a person informs; only a referral opens a case."""
    opening = [event for event in IMPRISONMENT_EVENTS if event.standing is Standing.REFERRAL]
    assert opening == [NeedIdentified]


@pytest.mark.parametrize("prison", ["", "li", "LINCOLN", "LII "])
def test_a_prison_is_an_agency_id(prison: str) -> None:
    """A name or a stray space never passes for a prison."""
    with pytest.raises(ValidationError):
        Received.model_validate(example(Received) | {"prison": prison})


def test_a_date_nobody_defined_is_no_date_of_ours() -> None:
    """The set of dates is closed: a new one is a decision, not a surprise."""
    with pytest.raises(ValidationError):
        DatesChanged.model_validate(example(DatesChanged) | {"dates": {"parole_hearing": "2025-01-01"}})
