"""Custody events: every kind has an example that is one, and only what is a referral opens a case."""

import pytest

from schemas import custody
from schemas.base import Event

KINDS: list[type[Event]] = [
    custody.DrugTestRecorded,
    custody.AssessmentRequired,
    custody.AssessmentVaried,
    custody.AssessmentAttended,
    custody.AssessmentMissed,
    custody.FollowUpRequired,
    custody.FollowUpCeased,
    custody.Charged,
]


def example(kind: type[Event]) -> Event:
    """The published example of a kind."""
    extra = kind.model_config["json_schema_extra"]
    assert isinstance(extra, dict)
    examples = extra["examples"]
    assert isinstance(examples, list)
    return kind.model_validate(examples[0])


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_example_is_an_event_of_its_kind(kind: type[Event]) -> None:
    """The example of a kind reads as that kind, and comes back from JSON unchanged."""
    told = example(kind)
    assert told.topic == "custody.v1"
    assert told.kind == kind.model_fields["kind"].default
    assert kind.model_validate_json(told.model_dump_json()) == told


@pytest.mark.parametrize(
    ("cocaine", "opiates", "opens"),
    [
        ("positive", None, True),
        ("negative", "positive", True),
        ("positive", "positive", True),
        ("negative", "negative", False),
        ("invalid", None, False),
        ("refused", "refused", False),
    ],
)
def test_only_a_positive_result_opens_a_case(cocaine: str, opiates: str | None, opens: bool) -> None:
    """A test that is positive for any drug is a referral; a negative, invalid or refused one only informs."""
    told = example(custody.DrugTestRecorded).model_dump() | {"cocaine": cocaine, "opiates": opiates}
    assert custody.DrugTestRecorded.model_validate(told).opens_case is opens


@pytest.mark.parametrize("kind", KINDS[1:], ids=lambda kind: kind.__name__)
def test_required_assessments_open_a_case_and_their_outcome_does_not(kind: type[Event]) -> None:
    """RA1, RA2 and RA4 are referrals; attendance, a follow-up that lapsed and a charge only inform."""
    requires = kind in {custody.AssessmentRequired, custody.AssessmentVaried, custody.FollowUpRequired}
    assert example(kind).opens_case is requires
