"""A template agency's records, and what becomes of each."""

import json
from datetime import UTC, datetime

import pytest

from adapters._template import build
from adapters.base import Accepted, Held, Message, Outcome, Refused
from schemas.care import Referred, Urgency

RECEIVED = datetime(2026, 1, 15, 12, tzinfo=UTC)
REFERRAL = {
    "record_type": "referral",
    "provider": "P-07",
    "reference": "REF-1",
    "record_version": 1,
    "referred_on": "2026-01-12T10:20:00Z",
    "urgency": "U",
    "surname": "Wrenfield",
    "date_of_birth": "1987-04-09",
}


def read(**changed: object) -> Outcome:
    """What a referral with some fields changed becomes."""
    body = json.dumps(REFERRAL | changed).encode()
    return build({}).read(Message(body, "application/json", RECEIVED))


def told(outcome: Outcome) -> Referred:
    """The event of an accepted record."""
    assert isinstance(outcome, Accepted)
    (fact,) = outcome.facts
    assert isinstance(fact.event, Referred)
    return fact.event


def test_a_referral_is_told_with_its_particulars() -> None:
    """What they wrote is what a LASARS reads."""
    event = told(read(postcode="sk42hd"))
    assert event.urgency is Urgency.URGENT
    assert event.reference == "REF-1"
    assert [address.postcode for address in event.person.addresses] == ["SK4 2HD"]


def test_the_same_person_has_one_lane() -> None:
    """A right NHS number orders all that is said of a person; a wrong one does not."""
    right, wrong = read(nhs_number="999 054 8609"), read(nhs_number="9990548608")
    assert isinstance(right, Accepted)
    assert isinstance(wrong, Accepted)
    assert right.facts[0].lane == "NHS:9990548609"
    assert wrong.facts[0].lane == "XX:P-07/REF-1"


def test_a_referral_is_taken_back() -> None:
    """The reason is told, under the key of what it takes back."""
    (taken_back, stands) = (read(withdrawn="person_withdrew"), read())
    assert isinstance(taken_back, Accepted)
    assert isinstance(stands, Accepted)
    assert taken_back.facts[0].withdrawn == "person_withdrew"
    assert taken_back.facts[0].key == stands.facts[0].key


@pytest.mark.parametrize(("field", "value"), [("urgency", "ASAP"), ("sex", "Z"), ("record_type", "transfer")])
def test_a_code_nobody_mapped_is_held(field: str, value: str) -> None:
    """It is never taken for another."""
    outcome = read(**{field: value})
    assert isinstance(outcome, Held)
    assert outcome.findings[-1].detail == value


@pytest.mark.parametrize("field", sorted(REFERRAL))
def test_what_every_record_must_say(field: str) -> None:
    """A record without it is refused, and told which field."""
    outcome = read(**{field: None})
    assert isinstance(outcome, Refused)
    assert [finding.field for finding in outcome.findings] == [field]


def test_an_option_that_is_none_stops_the_start() -> None:
    """A misspelt option is never passed over."""
    with pytest.raises(ValueError, match="no option"):
        build({"speed": "high"})
